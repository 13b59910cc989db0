import type { SignalSample } from '../../core/contract/signal.ts';
import type { CaptureTrigger } from '../../core/contract/sink.ts';
import { meanAndDeviation } from '../rules/statistics.ts';
import { unitOf } from '../signals/format.ts';
import type { Moved } from './verdict-types.ts';

/** The newest samples are "now", what came before is the average. */
const nowSamples = 3;
const shown = 12;
/** Deviations from the average from which a signal has moved. */
const far = 3;
/** Signals that only ever grow or are constants say nothing by moving. */
const ignored = new Set([
  'memoryLimitBytes',
  'gcPauseMs',
  'majorGcCount',
  'minorGcCount',
  'monitorCpuPercent',
]);

interface Point {
  readonly atMs: number;
  readonly value: number;
}
type Scored = Moved & { readonly score: number };

/**
 * Which signals stood far from their average at the trigger, up or down, the farthest first. What came after it is left
 * out: the capture itself takes time, threads and memory. Nor does the window of the rule belong to "before".
 */
export function whatMoved(all: readonly SignalSample[], trigger: CaptureTrigger): Moved[] {
  const samples = all.filter(({ atMs }) => atMs <= trigger.atMs);
  const newest = samples.at(-1);
  if (newest === undefined) return [];
  return Object.keys(newest.values)
    .filter((signal) => !ignored.has(signal))
    .map((signal) => movement(samples, signal, trigger))
    .filter((moved): moved is Scored => moved !== undefined && moved.score >= far)
    .sort((a, b) => b.score - a.score)
    .slice(0, shown)
    .map(({ score: _score, ...moved }) => moved);
}

function movement(
  samples: readonly SignalSample[],
  signal: string,
  trigger: CaptureTrigger,
): Scored | undefined {
  const series = samples.flatMap(({ atMs, values }): Point[] => {
    const value = values[signal];
    return value === undefined ? [] : [{ atMs, value }];
  });
  const before = calmTime(series.slice(0, -nowSamples), trigger);
  const [first] = before;
  const last = series.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const { mean, deviation } = meanAndDeviation(before.map((point) => point.value));
  const spread = Math.max(deviation, Math.abs(mean) / 20, 1e-9);
  const isTrigger = signal === trigger.signal;
  // A rule may have looked between two samples: what it saw is newer than any of them.
  const to = isTrigger ? trigger.current : farthest(series.slice(-nowSamples), mean);
  const score = Math.abs(to - mean) / spread;
  const sinceMs = lastCrossing(series, mean, spread, Math.sign(to - mean));
  const overMs = (before.at(-1)?.atMs ?? first.atMs) - first.atMs;
  return {
    signal,
    unit: unitOf(signal),
    from: mean,
    to,
    sinceMs,
    overMs,
    score: isTrigger ? Infinity : score,
  };
}

/** Without the window that the rule waited for, where anything is left then. */
function calmTime(points: readonly Point[], { settings, atMs }: CaptureTrigger): readonly Point[] {
  const windowMs = Number(settings['forMs'] ?? settings['windowMs'] ?? 0);
  const calm = points.filter((point) => point.atMs < atMs - windowMs);
  return calm.length > 0 ? calm : points;
}

const farthest = (points: readonly Point[], mean: number): number =>
  points.reduce((far, { value }) => (Math.abs(value - mean) > Math.abs(far - mean) ? value : far), mean);

/** When the signal left the range of its average the last time, not when it once did so before and came back. */
function lastCrossing(series: readonly Point[], mean: number, spread: number, direction: number): number {
  let at = series.length - 1;
  const isOut = (point: Point | undefined): boolean =>
    point !== undefined && (point.value - mean) * direction > far * spread;
  // The newest sample may be inside again already: the excursion is among the newest.
  for (let back = 0; back < nowSamples && !isOut(series[at]); back++) at--;
  if (!isOut(series[at])) return series.at(-1)?.atMs ?? 0;
  while (isOut(series[at - 1])) at--;
  return series[at]?.atMs ?? 0;
}
