import type { SignalSample } from '../../core/contract/signal.ts';
import { formatSignal } from '../signals/format.ts';
import type { SignalHistory } from './history.ts';
import type {
  Condition,
  DeviationRule,
  HoldRule,
  NearLimitRule,
  Rule,
  SlopeRule,
  StallRule,
} from './rule-types.ts';
import { linearTrend, meanAndDeviation } from './statistics.ts';

/** What a rule says of the history: `suspect` is half-way, `match` is there. */
export interface Finding {
  readonly state: 'suspect' | 'match';
  readonly signal: string;
  readonly current: number;
  /** What it is compared with. */
  readonly average: number;
  readonly reason: string;
}

/** Correlation with time below which a rise is not steady. */
const steady = 0.9;
/** A deviation needs so many samples of "before". */
const minBaseline = 6;

/** Looks at the regular samples; `urgent` is the newest look in between, for stalls and the end of the heap. */
export function evaluate(rule: Rule, history: SignalHistory, urgent?: SignalSample): Finding | undefined {
  switch (rule.type) {
    case 'stall':
      return stall(rule, urgent ?? history.latest);
    case 'nearLimit':
      return nearLimit(rule, history, urgent ?? history.latest);
    case 'hold':
      return urgent === undefined ? hold(rule, history) : undefined;
    case 'deviation':
      return urgent === undefined ? deviation(rule, history) : undefined;
    case 'slope':
      return urgent === undefined ? slope(rule, history) : undefined;
  }
}

function stall(rule: StallRule, sample: SignalSample | undefined): Finding | undefined {
  const current = sample?.values['stallMs'];
  if (current === undefined || current < rule.aboveMs) return undefined;
  const reason = `the event loop has not turned for ${Math.round(current)} ms (limit ${rule.aboveMs} ms)`;
  return { state: 'match', signal: 'stallMs', current, average: 0, reason };
}

function nearLimit(
  rule: NearLimitRule,
  history: SignalHistory,
  sample: SignalSample | undefined,
): Finding | undefined {
  const current = sample?.values[rule.signal];
  if (sample === undefined || current === undefined || current < rule.from) return undefined;
  const found = { state: 'match', signal: rule.signal, current } as const;
  const past = history.all().findLast((earlier) => earlier.atMs <= sample.atMs - history.intervalMs);
  const average = past?.values[rule.signal] ?? 0;
  if (current >= rule.above)
    return { ...found, average, reason: `${rule.signal} at ${Math.round(current)} %` };
  const risePerMs = past === undefined ? 0 : (current - average) / Math.max(1, sample.atMs - past.atMs);
  if (risePerMs <= 0) return undefined;
  const leftMs = (100 - current) / risePerMs;
  if (leftMs > rule.projectedMs) return undefined;
  return {
    ...found,
    average,
    reason: `${rule.signal} at ${Math.round(current)} %, full in ${Math.round(leftMs)} ms at this rise`,
  };
}

const holds = (condition: Condition, value: number): boolean =>
  (condition.above === undefined || value >= condition.above) &&
  (condition.below === undefined || value <= condition.below);

/** How many of the newest samples fulfil all conditions without a gap, up to `limit`. */
function run(conditions: readonly Condition[], history: SignalHistory, limit: number): number {
  const samples = history.all();
  let length = 0;
  while (length < limit) {
    const sample = samples[samples.length - 1 - length];
    if (sample === undefined) break;
    const fulfilled = conditions.every((condition) => {
      const value = sample.values[condition.signal];
      return value !== undefined && holds(condition, value);
    });
    if (!fulfilled) break;
    length++;
  }
  return length;
}

const describe = ({ signal, above, below }: Condition): string =>
  [
    ...(above === undefined ? [] : [`${signal} >= ${formatSignal(signal, above)}`]),
    ...(below === undefined ? [] : [`${signal} <= ${formatSignal(signal, below)}`]),
  ].join(' and ');

function hold(rule: HoldRule, history: SignalHistory): Finding | undefined {
  const first = rule.when[0];
  if (first === undefined) return undefined;
  const wanted = history.samplesOf(rule.forMs);
  const length = run(rule.when, history, wanted);
  if (length === 0) return undefined;
  const current = history.latest?.values[first.signal] ?? 0;
  const average = meanAndDeviation(history.before(first.signal, length, 60_000)).mean;
  const reason = `${rule.when.map(describe).join(' and ')} for ${seconds(rule.forMs)}`;
  return { state: length >= wanted ? 'match' : 'suspect', signal: first.signal, current, average, reason };
}

function deviation(rule: DeviationRule, history: SignalHistory): Finding | undefined {
  const wanted = history.samplesOf(rule.forMs);
  const before = history.before(rule.signal, wanted, rule.overMs);
  if (before.length < minBaseline) return undefined;
  const { mean, deviation: sigma } = meanAndDeviation(before);
  // A flat line has no deviation: a tenth of the mean stands in for it.
  const threshold = Math.max(rule.floor, mean + rule.sigma * Math.max(sigma, mean / 10));
  const length = run([{ signal: rule.signal, above: threshold }, ...rule.when], history, wanted);
  if (length === 0) return undefined;
  const current = history.latest?.values[rule.signal] ?? 0;
  const value = (number: number): string => formatSignal(rule.signal, number);
  const further = rule.when.map((condition) => ` and ${describe(condition)}`).join('');
  const reason = `${rule.signal} >= ${value(threshold)}${further} for ${seconds(rule.forMs)}; the average before was ${value(mean)}, the limit is ${rule.sigma} deviations above it and at least ${value(rule.floor)}`;
  return {
    state: length >= wanted ? 'match' : 'suspect',
    signal: rule.signal,
    current,
    average: mean,
    reason,
  };
}

function slope(rule: SlopeRule, history: SignalHistory): Finding | undefined {
  const wanted = history.samplesOf(rule.windowMs) + 1;
  const values = history.last(rule.signal, wanted);
  const half = history.last(rule.signal, (wanted >> 1) + 1);
  if (half === undefined) return undefined;
  const share = rule.confirm === 'gc' ? 1 : 0.5;
  if (values !== undefined && rises(values, rule, 1)) return slopeFinding(rule, values, 'match');
  return share < 1 && rises(half, rule, share) ? slopeFinding(rule, half, 'suspect') : undefined;
}

function slopeFinding(rule: SlopeRule, values: readonly number[], state: Finding['state']): Finding {
  const start = values[0] ?? 0;
  const current = values.at(-1) ?? 0;
  const [from, to] = [start, current].map((value) => formatSignal(rule.signal, value));
  const overMs = state === 'match' ? rule.windowMs : rule.windowMs / 2;
  const reason = `${rule.signal} rose from ${from} to ${to} in ${seconds(overMs)} without pause`;
  return { state, signal: rule.signal, current, average: start, reason };
}

/** A steady rise: large enough, close to a line, and not flattening out in its second half. */
function rises(values: readonly number[], rule: SlopeRule, share: number): boolean {
  const start = values[0] ?? 0;
  const growth = (values.at(-1) ?? 0) - start;
  if (growth < rule.minGrowth * share || growth < start * rule.minGrowthRatio * share) return false;
  if (linearTrend(values).correlation < steady) return false;
  const middle = values[values.length >> 1] ?? 0;
  const late = (values.at(-1) ?? 0) - middle;
  const last = (values.at(-1) ?? 0) - (values.at(-2) ?? 0);
  return late >= growth * 0.3 && last > 0;
}

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;
