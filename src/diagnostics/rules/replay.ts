import type { SignalSample } from '../../core/contract/signal.ts';
import type { CaptureTrigger } from '../../core/contract/sink.ts';
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
  samples: readonly SignalSample[],
  options: ReplayOptions = {},
): ReplayedDecision[] {
  const between = (samples[1]?.atMs ?? 1000) - (samples[0]?.atMs ?? 0);
  const intervalMs = options.intervalMs ?? between;
  if (rules.mode === 'holmes') return replayHolmes(rules, samples, options.captureMs ?? 3000);
  const engine = new RuleEngine(rules.rules, { intervalMs });
  const decisions: ReplayedDecision[] = [];
  const awaited = new Map<string, string>();
  for (const sample of samples) {
    const confirmed = [...awaited].flatMap(([rule, signal]) => {
      awaited.delete(rule);
      const value = sample.values['heapAfterGcBytes'] ?? sample.values[signal];
      return value === undefined ? [] : engine.confirm(rule, value, sample.atMs);
    });
    for (const action of [...confirmed, ...engine.step(sample)]) {
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
