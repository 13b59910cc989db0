import type { FaultTolerance } from './cluster-uses.ts';

/** MOSN ejects nobody but through `fault_tolerance`. @param hostCount hosts that the file lists */
export function outlierDetectionOf(judged: FaultTolerance | null, hostCount: number): object {
  if (judged === null) return { consecutiveErrors: 0 };
  const { multiple, requestVolume, intervalMs, ejectionMs, maxHosts } = judged;
  return {
    consecutiveErrors: 0,
    relativeErrorRate: { multiple, requestVolume },
    intervalMs,
    baseEjectionMs: ejectionMs,
    maxEjectionMs: ejectionMs,
    // One host may always be out.
    maxEjectionPercent:
      maxHosts <= 1 || hostCount === 0 ? 0 : Math.min(100, Math.round((maxHosts / hostCount) * 100)),
  };
}
