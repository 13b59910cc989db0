import { availableParallelism } from 'node:os';
import { HeddleError } from '../../core/base/errors.ts';
import type { SignalSample } from '../../core/contract/signal.ts';
import type { CaptureTrigger } from '../../core/contract/sink.ts';
import type { MonitorEvent } from '../contract.ts';
import { RuleEngine } from '../rules/engine.ts';
import { HolmesRules } from '../rules/holmes-rules.ts';
import { type ParsedRules, parseRules } from '../rules/parse.ts';
import { HostSignals } from '../signals/host-signals.ts';
import type { TextSource } from '../signals/read-text.ts';

export interface OutsideOptions {
  /** @default the default rules; those about what only the process itself knows never fire */
  readonly rules?: ParsedRules;
  /** Time between two samples. @default 1000, with holmes' rules 5000 */
  readonly intervalMs?: number;
  readonly onEvent?: (event: MonitorEvent) => void;
  /** Called once, when the process has ended or its pid means another one. */
  readonly onEnd?: () => void;
  /** @default /proc and /sys of this machine */
  readonly source?: TextSource;
}

const outcome = 'seen from outside: nothing is captured';

/**
 * Watches any process by what /proc and its control group tell, without attaching to it: processor, memory, threads,
 * descriptors, throttling. For processes that must not be touched, belong to another user or container, or are no
 * Node.js. Rules say when they fire; there is nothing to capture with.
 */
export class OutsideWatch {
  readonly #host: HostSignals;
  readonly #options: OutsideOptions;
  readonly #decide: (sample: SignalSample) => readonly CaptureTrigger[];
  readonly #timer: NodeJS.Timeout;

  /** @throws HeddleError ERR_ATTACH_REFUSED when there is no such process. */
  constructor(pid: number, options: OutsideOptions = {}) {
    const { rules = parseRules(undefined), source } = options;
    const intervalMs = options.intervalMs ?? (rules.mode === 'holmes' ? 5000 : 1000);
    this.#options = options;
    this.#host = new HostSignals({ pid, cores: availableParallelism(), ...(source && { source }) });
    if (this.#host.startTicks === undefined)
      throw new HeddleError('ERR_ATTACH_REFUSED', `there is no process ${pid}`);
    this.#decide = deciderOf(rules, intervalMs);
    this.look(Date.now());
    this.#timer = setInterval(() => this.look(Date.now()), intervalMs);
  }

  /** One sample; done by itself once an interval. */
  look(atMs: number): void {
    const values = this.#host.read(atMs);
    if (values === undefined) {
      this.stop();
      this.#options.onEnd?.();
      return;
    }
    const sample = { atMs, values };
    this.#options.onEvent?.({ type: 'sample', sample });
    for (const { rule, reason } of this.#decide(sample))
      this.#options.onEvent?.({ type: 'fired', atMs, rule, reason, outcome });
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Either engine; what fired rests as if it had been captured at once. */
function deciderOf(rules: ParsedRules, intervalMs: number): (sample: SignalSample) => CaptureTrigger[] {
  if (rules.mode === 'holmes') {
    let limitBytes = 0;
    const holmes = new HolmesRules(rules.holmes, () => limitBytes);
    return (sample) => {
      limitBytes = sample.values['memoryLimitBytes'] ?? 0;
      const triggers = holmes.step(sample).map(({ trigger }) => trigger);
      for (const { rule } of triggers) holmes.captured(rule, sample.atMs);
      return triggers;
    };
  }
  // It has been running before: nothing has to settle.
  const engine = new RuleEngine(rules.rules, { intervalMs, warmUpMs: 0 });
  return (sample) =>
    engine.step(sample).flatMap((action) => {
      if (action.type !== 'capture') return [];
      engine.captured(action.rule.name, sample.atMs);
      return [action.trigger];
    });
}
