import type { SignalSample } from '../../core/contract/signal.ts';
import type { CaptureTrigger } from '../../core/contract/sink.ts';
import type { RecordedSample } from '../signals/signal-log.ts';
import { RuleEngine } from './engine.ts';
import { HolmesRules } from './holmes-rules.ts';
import type { ParsedRules } from './parse.ts';

/** A decision that rules would have made on recorded signals. */
export interface ReplayedDecision {
  readonly rule: string;
  readonly trigger: CaptureTrigger;
  /** `fired`, or why it was held back. */
  readonly outcome: string;
}

export interface ReplayOptions {
  /** Time between samples. @default what lies between the first two */
  readonly intervalMs?: number;
  /** How long a capture is taken to last. @default 3000 */
  readonly captureMs?: number;
}

/** What rules would have done on recorded signals. A collection that a rule asks for is answered by the next sample. */
export function replayRules(
  rules: ParsedRules,
  recorded: readonly RecordedSample[],
  options: ReplayOptions = {},
): ReplayedDecision[] {
  const samples = withFullValues(recorded);
  const [first, second] = samples.filter(({ urgent }) => urgent !== true);
  const between = (second?.atMs ?? 1000) - (first?.atMs ?? 0);
  const intervalMs = options.intervalMs ?? between;
  if (rules.mode === 'holmes') {
    const regular = samples.filter(({ urgent }) => urgent !== true);
    return replayHolmes(rules, regular, options.captureMs ?? 3000);
  }
  const engine = new RuleEngine(rules.rules, { intervalMs });
  const decisions: ReplayedDecision[] = [];
  const awaited = new Map<string, string>();
  for (const sample of samples) {
    const isUrgent = sample.urgent === true;
    const confirmed = isUrgent
      ? []
      : [...awaited].flatMap(([rule, signal]) => {
          awaited.delete(rule);
          const value =
            (signal === 'heapUsedBytes' ? sample.values['heapAfterGcBytes'] : undefined) ??
            sample.values[signal];
          return value === undefined ? [] : engine.confirm(rule, value, sample.atMs);
        });
    for (const action of [...confirmed, ...engine.step(sample, isUrgent)]) {
      const { name } = action.rule;
      if (action.type === 'collect') awaited.set(name, action.rule.signal);
      if (action.type === 'held')
        decisions.push({ rule: name, trigger: action.trigger, outcome: action.reason });
      if (action.type !== 'capture') continue;
      decisions.push({ rule: name, trigger: action.trigger, outcome: 'fired' });
      engine.captured(name, sample.atMs + (options.captureMs ?? 3000));
    }
  }
  return decisions;
}

/** An urgent line holds only what is new. */
function withFullValues(recorded: readonly RecordedSample[]): RecordedSample[] {
  let values: Readonly<Record<string, number>> = {};
  return recorded.map((sample) => {
    if (sample.urgent === true) return { ...sample, values: { ...values, ...sample.values } };
    values = sample.values;
    return sample;
  });
}

function replayHolmes(
  rules: ParsedRules & { readonly mode: 'holmes' },
  samples: readonly SignalSample[],
  captureMs: number,
): ReplayedDecision[] {
  const holmes = new HolmesRules(
    rules.holmes,
    () => samples[0]?.values['memoryLimitBytes'] ?? Number.POSITIVE_INFINITY,
  );
  return samples.flatMap((sample) =>
    holmes.step(sample).map(({ trigger }) => {
      holmes.captured(trigger.rule, sample.atMs + captureMs);
      return { rule: trigger.rule, trigger, outcome: 'fired' };
    }),
  );
}
