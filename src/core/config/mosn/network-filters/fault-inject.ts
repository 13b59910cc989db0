import type { MosnContext } from '../context.ts';
import type { Section } from '../section.ts';

/** `fault_inject`, which MOSN's own binary is built without: it holds connections back. */
export function faultInjectOf(context: MosnContext, filter: Section<'type' | 'config'>): object | null {
  const given = filter.section('config', { read: ['delay_percent', 'delay_duration'] });
  const fixedMs = given?.durationMs('delay_duration');
  const percent = given?.count('delay_percent') ?? 0;
  if (given === null || fixedMs === undefined || percent === 0) return null;
  context.report.notice(filter.at('type'), 'fault_inject', 'works here; MOSN as it is published skips it');
  return { name: 'fault', config: context.origins.mark({ delay: { fixedMs, percent } }, given) };
}
