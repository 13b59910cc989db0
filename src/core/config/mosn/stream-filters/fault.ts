import { headerConditions } from '../route-match.ts';
import { type Keys, Section } from '../section.ts';
import type { FilterConversion } from './conversion.ts';

const keys: Keys<'delay' | 'abort' | 'upstream_cluster' | 'headers'> = {
  read: ['delay', 'abort', 'upstream_cluster', 'headers'],
};

/** MOSN's `fault`: delay and abort for whole per cents. */
export const fault: FilterConversion = {
  name: 'fault',
  perRoute: true,
  create(context, config, place) {
    const { report, origins } = context;
    const given = Section.open(report, place, config ?? {}, keys);
    if (given === null) return null;
    const made: Record<string, unknown> = {};
    const delay = given.section('delay', { read: ['percentage', 'fixed_delay'] });
    const fixedMs = delay?.durationMs('fixed_delay');
    if (delay != null && fixedMs !== undefined) {
      made['delay'] = origins.mark({ fixedMs, percent: delay.count('percentage') ?? 0 }, delay);
    }
    const abort = given.section('abort', { read: ['percentage', 'status'] });
    const status = abort?.count('status');
    if (abort != null && status !== undefined) {
      made['abort'] = origins.mark({ status, percent: abort.count('percentage') ?? 0 }, abort);
    }
    if (given.has('upstream_cluster')) made['cluster'] = given.text('upstream_cluster');
    const { headers } = headerConditions(context, given, false);
    if (headers.length > 0) made['headers'] = headers;
    return { config: origins.mark(made, given) };
  },
};
