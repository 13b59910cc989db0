import type { ClusterKey } from './clusters.ts';
import type { MosnContext } from './context.ts';
import type { Place } from './report.ts';
import type { Section } from './section.ts';

const fallbacks = ['noFallback', 'anyEndpoint', 'default'];

/** `lb_subset_config`. */
export function subsetsOf(context: MosnContext, cluster: Section<ClusterKey>): object | null {
  const subset = cluster.section('lb_subset_config', {
    read: ['fall_back_policy', 'default_subset', 'subset_selectors'],
  });
  if (subset === null || !subset.has('subset_selectors')) return null;
  const policy = subset.count('fall_back_policy') ?? 0;
  const fallback = fallbacks[policy];
  if (fallback === undefined) {
    const what = '0 (none), 1 (any host) or 2 (default_subset)';
    context.report.problem(subset.at('fall_back_policy'), policy, what);
  }
  const defaults = pairs(subset);
  const made = {
    selectors: selectorsOf(subset).map((keys) => ({ keys })),
    fallback: fallback ?? 'noFallback',
    ...(Object.keys(defaults).length === 0 ? {} : { default: defaults }),
  };
  const places = {
    selectors: subset.at('subset_selectors'),
    fallback: subset.at('fall_back_policy'),
    default: subset.at('default_subset'),
  };
  return context.origins.mark(made, subset, places);
}

function selectorsOf(subset: Section<'subset_selectors'>): string[][] {
  const given = subset.raw('subset_selectors');
  const isText = (value: unknown): value is string => typeof value === 'string';
  if (Array.isArray(given) && given.every((keys) => Array.isArray(keys) && keys.every(isText))) {
    return given as string[][];
  }
  subset.report.problem(subset.at('subset_selectors'), given, 'a list of lists of metadata keys');
  return [];
}

function pairs(subset: Section<'default_subset'>): Record<string, string> {
  const made: [string, string][] = [];
  const tell = (place: Place, value: unknown): void => subset.report.problem(place, value, 'a text');
  for (const [key, value, place] of subset.entries('default_subset')) {
    if (typeof value === 'string') made.push([key, value]);
    else tell(place, value);
  }
  return Object.fromEntries(made);
}
