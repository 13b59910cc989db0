import type { MosnContext } from './context.ts';
import type { RouteOwner } from './routes.ts';
import type { Section } from './section.ts';
import { streamFilters } from './stream-filters/index.ts';

/** `per_filter_config` of a virtual host or a route, by the native names of the listener's filters. */
export function filterConfigsOf(
  context: MosnContext,
  level: Section<'per_filter_config'>,
  owner: RouteOwner,
): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [type, value, place] of level.entries('per_filter_config')) {
    const convert = Object.hasOwn(streamFilters, type) ? streamFilters[type] : undefined;
    const native = owner.filters.get(type);
    if (native === undefined || convert === undefined || convert.perRoute !== true) {
      context.report.notice(place, type, 'no effect: no filter of the listener reads it here');
      continue;
    }
    const converted = convert.create(context, value, place);
    if (converted !== null) made[native] = converted.config;
  }
  if (Object.keys(made).length === 0) return {};
  return { filterConfigs: context.origins.mark(made, level.at('per_filter_config')) };
}
