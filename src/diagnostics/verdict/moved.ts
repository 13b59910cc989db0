import type { SignalSample } from '../../core/contract/signal.ts';
import { meanAndDeviation } from '../rules/statistics.ts';
import { signalCatalogue } from '../signals/catalogue.ts';
import type { Moved } from './verdict-types.ts';

const units = new Map(signalCatalogue.map(({ name, unit }) => [name, unit]));
/** The newest samples are "now", what came before is the average. */
const nowSamples = 3;
const shown = 12;
/** Signals that only ever grow or are constants say nothing by moving. */
const ignored = new Set(['memoryLimitBytes', 'majorGcCount', 'minorGcCount', 'monitorCpuPercent']);

/** Which signals stand far from their average at the end of the samples, the farthest first. */
export function whatMoved(samples: readonly SignalSample[], triggerSignal: string): Moved[] {
  const newest = samples.at(-1);
  if (newest === undefined) return [];
  const found: (Moved & { score: number })[] = [];
  for (const signal of Object.keys(newest.values)) {
    if (ignored.has(signal)) continue;
    const moved = movement(samples, signal);
    if (moved !== undefined)
      found.push(signal === triggerSignal ? { ...moved, score: Number.MAX_VALUE } : moved);
  }
  return found
    .filter((moved) => moved.score >= 3)
    .sort((a, b) => b.score - a.score)
    .slice(0, shown)
    .map(({ score: _score, ...moved }) => moved);
}

function movement(samples: readonly SignalSample[], signal: string): (Moved & { score: number }) | undefined {
  const series = samples
    .map(({ atMs, values }) => ({ atMs, value: values[signal] }))
    .filter((point): point is { atMs: number; value: number } => point.value !== undefined);
  const last = series.at(-1);
  const before = series.slice(0, -nowSamples).map((point) => point.value);
  if (last === undefined || before.length === 0) return undefined;
  const { mean, deviation } = meanAndDeviation(before);
  const to = Math.max(...series.slice(-nowSamples).map((point) => point.value));
  const spread = Math.max(deviation, Math.abs(mean) / 20, 1e-9);
  const outside = series.findIndex(({ value }) => value > mean + 3 * spread);
  const sinceMs = series[outside < 0 ? series.length - 1 : outside]?.atMs ?? last.atMs;
  return { signal, unit: unitOf(signal), from: mean, to, sinceMs, score: (to - mean) / spread };
}

/** Unit of a built-in signal; resources are counts, user signals have their own. */
function unitOf(signal: string): string {
  return units.get(signal) ?? (signal.startsWith('resource:') ? 'count' : '');
}
