import type { Place } from './report.ts';
import type { Section } from './section.ts';

/** `{"filter_metadata":{"mosn.lb":{...}}}` as plain pairs; values that are no text are a problem. */
export function metadataOf<K extends string>(owner: Section<K>, key: K): Record<string, string> | undefined {
  const filter = owner.section(key, { read: ['filter_metadata'] });
  const lb = filter?.section('filter_metadata', { read: ['mosn.lb'] });
  if (lb === undefined || lb === null) return undefined;
  return textPairs(lb.entries('mosn.lb'), lb);
}

function textPairs(entries: readonly [string, unknown, Place][], owner: Section): Record<string, string> {
  const pairs: [string, string][] = [];
  for (const [name, value, place] of entries) {
    if (typeof value === 'string') pairs.push([name, value]);
    else owner.report.problem(place, value, 'a text: MOSN takes no other metadata');
  }
  return Object.fromEntries(pairs);
}
