/** Committed figures of JavaScript paths, and what counts as getting slower. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../pure.baseline.json', import.meta.url));

/**
 * How much slower than committed a path may be, both measured by the same machine's calibration. Repeated runs on a
 * quiet machine differ by 5 %, under load by 30 %, other machines' caches and clocks by as much.
 */
const toleratedRatio = 1.45;

export interface Baseline {
  /** Of bench/cases/calibrate.ts on the machine that made the figures. */
  readonly calibrationNs: number;
  readonly machine: string;
  /** Minimum nanoseconds by variant. */
  readonly minNs: Readonly<Record<string, number>>;
}

/** Null when there is none yet. */
export function readBaseline(): Baseline | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Baseline;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export function writeBaseline(baseline: Baseline): void {
  writeFileSync(file, `${JSON.stringify(baseline, null, 2)}\n`);
}

/** How many times as slow as committed, this machine's own speed taken into account; null for an unknown variant. */
export function slowdown(
  baseline: Baseline | null,
  variant: string,
  minNs: number,
  calibrationNs: number,
): number | null {
  const committed = baseline?.minNs[variant];
  if (baseline === null || committed === undefined) return null;
  return minNs / calibrationNs / (committed / baseline.calibrationNs);
}

/** A sentence for each path that became slower than tolerated. */
export function regressions(
  baseline: Baseline | null,
  minNs: Readonly<Record<string, number>>,
  calibrationNs: number,
): string[] {
  return Object.entries(minNs).flatMap(([variant, value]) => {
    const ratio = slowdown(baseline, variant, value, calibrationNs);
    if (ratio === null || ratio <= toleratedRatio) return [];
    return `${variant} is ${ratio.toFixed(2)} times as slow as committed in bench/pure.baseline.json`;
  });
}
