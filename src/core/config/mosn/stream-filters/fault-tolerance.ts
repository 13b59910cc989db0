import type { FaultTolerance } from '../cluster-uses.ts';
import type { MosnContext } from '../context.ts';
import type { Place } from '../report.ts';
import { Section } from '../section.ts';

/** MOSN's `fault_tolerance`; null when it is off. Its times are plain milliseconds. */
export function faultToleranceOf(
  { report }: MosnContext,
  config: unknown,
  place: Place,
): FaultTolerance | null {
  const given = Section.open(report, place, config ?? {}, {
    read: ['enabled', 'timeWindow', 'leastWindowCount', 'exceptionRateMultiple', 'maxIpCount', 'recoverTime'],
    ineffective: {
      exceptionTypes: 'every answer of 500 and more, lost connection and timeout counts',
      maxIpRatio: 'MOSN does not use it',
      taskSize: 'rates are looked at without tasks',
    },
  });
  if (given === null || !given.flag('enabled')) return null;
  return {
    multiple: given.number('exceptionRateMultiple') || 5,
    requestVolume: given.count('leastWindowCount') ?? 10,
    intervalMs: given.count('timeWindow') ?? 10_000,
    ejectionMs: given.count('recoverTime') ?? 900_000,
    maxHosts: given.count('maxIpCount') ?? 1,
  };
}
