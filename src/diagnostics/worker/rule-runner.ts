import { messageOf } from '../../core/base/errors.ts';
import type { SignalSample } from '../../core/contract/signal.ts';
import type { Capture, CaptureTrigger } from '../../core/contract/sink.ts';
import type { MonitorEvent, RuleState } from '../contract.ts';
import type { MonitorSettings } from '../options.ts';
import { type RuleAction, RuleEngine } from '../rules/engine.ts';
import { SignalHistory } from '../rules/history.ts';
import { HolmesRules } from '../rules/holmes-rules.ts';
import type { ParsedRules } from '../rules/parse.ts';
import type { Rule } from '../rules/rule-types.ts';
import type { StallView } from '../signals/stall-watch.ts';
import type { CaptureOrder } from './capturer.ts';
import { nowMs, wait } from './cpu-profiler.ts';
import { Refuted } from './emergency.ts';

/** What the rules may cause; the agent does it. */
export interface RuleEffects {
  take(order: CaptureOrder, ruleName: string): Promise<Capture>;
  refusal(order: CaptureOrder): string;
  prepare(kind: string): Promise<void>;
  collectGarbage(): Promise<void>;
  /** Heap values right now, by signal name. */
  readHeap(): Promise<Record<string, number>>;
  emit(event: MonitorEvent): void;
  stall(): StallView;
}

/** A prepared observation that led to nothing is ended after this long. */
const unusedAfterMs = 20_000;

/** Runs either engine on the samples and carries out what it decides. */
export class RuleRunner {
  readonly #settings: MonitorSettings;
  readonly #effects: RuleEffects;
  readonly #history: SignalHistory;
  readonly #oldSpaceBytes: number;
  readonly #prepared = new Map<string, number>();
  #engine: RuleEngine | undefined;
  #holmes: HolmesRules | undefined;
  #paused = false;

  constructor(settings: MonitorSettings, oldSpaceBytes: number, effects: RuleEffects) {
    this.#oldSpaceBytes = oldSpaceBytes;
    this.#settings = settings;
    this.#effects = effects;
    this.#history = new SignalHistory(settings.intervalMs);
    this.setRules(settings.rules);
  }

  samples(): readonly SignalSample[] {
    return this.#history.all();
  }

  setRules(rules: ParsedRules): void {
    if (rules.mode === 'holmes') {
      this.#engine = undefined;
      if (this.#holmes === undefined)
        this.#holmes = new HolmesRules(rules.holmes, () => this.#memoryLimitBytes());
      else this.#holmes.setOptions(rules.holmes);
      return;
    }
    this.#holmes = undefined;
    const { intervalMs, warmUpMs } = this.#settings;
    if (this.#engine === undefined) this.#engine = new RuleEngine(rules.rules, { intervalMs, warmUpMs });
    else this.#engine.setRules(rules.rules);
    this.#engine.pause(this.#paused);
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.#engine?.pause(paused);
  }

  states(atMs: number): RuleState[] {
    return this.#engine?.states(atMs) ?? this.#holmes?.states() ?? [];
  }

  captured(ruleName: string, atMs: number): void {
    this.#engine?.captured(ruleName, atMs);
    this.#holmes?.captured(ruleName, atMs);
  }

  step(sample: SignalSample): void {
    this.#history.push(sample);
    for (const action of this.#engine?.step(sample) ?? []) this.#act(action);
    if (!this.#paused) this.#stepHolmes(sample);
    void this.#dropUnused();
  }

  /** A quick look between two ticks. */
  look(sample: SignalSample): void {
    for (const action of this.#engine?.step(sample, true) ?? []) this.#act(action);
  }

  #stepHolmes(sample: SignalSample): void {
    for (const { trigger, kinds, eventId } of this.#holmes?.step(sample) ?? []) {
      const order = this.#order(trigger, kinds, 5000);
      void this.#capture(eventId === '' ? order : { ...order, eventId });
    }
  }

  #act(action: RuleAction): void {
    const { rule } = action;
    switch (action.type) {
      case 'prepare':
        this.#prepare(rule);
        break;
      case 'collect':
        void this.#confirm(rule.name, action.rule.signal);
        break;
      case 'held':
        this.#tell(action.trigger, `held: ${action.reason}`);
        break;
      case 'capture':
        void this.#capture({
          ...this.#order(action.trigger, rule.capture, rule.durationMs),
          ...(rule.type === 'nearLimit' && {
            emergency: {
              refuteBelowBytes: (this.#oldSpaceBytes * rule.from * 0.8) / 100,
              holdMs: rule.holdMs,
            },
          }),
        });
    }
  }

  #prepare(rule: Rule): void {
    for (const kind of rule.prepare) {
      if (kind === 'pending' && this.#settings.pending === 'off') continue;
      if (!this.#prepared.has(kind)) void this.#effects.prepare(kind).catch(() => {});
      this.#prepared.set(kind, nowMs());
    }
  }

  async #confirm(ruleName: string, signal: string): Promise<void> {
    try {
      await this.#effects.collectGarbage();
      const values = await this.#effects.readHeap();
      const actions = this.#engine?.confirm(ruleName, values[signal] ?? 0, nowMs()) ?? [];
      for (const action of actions) this.#act(action);
    } catch (error) {
      this.#effects.emit({
        type: 'problem',
        atMs: nowMs(),
        message: `confirming ${ruleName}: ${messageOf(error)}`,
      });
    }
  }

  async #capture(order: CaptureOrder): Promise<void> {
    const { trigger } = order;
    const refused = this.#effects.refusal(order);
    if (refused !== '') {
      this.#tell(trigger, `held: ${refused}`);
      if (refused.startsWith('busy')) this.#engine?.postponed(trigger.rule);
      return;
    }
    this.#tell(trigger, 'capturing');
    const isStall = trigger.signal === 'stallMs';
    const done = new AbortController();
    if (isStall) void this.#endWithStall(done, order.durationMs);
    try {
      await this.#effects.take(isStall ? { ...order, signal: done.signal } : order, trigger.rule);
      for (const kind of order.kinds) this.#prepared.delete(kind);
    } catch (error) {
      if (error instanceof Refuted) this.#engine?.refuted(trigger.rule, nowMs());
      else this.#effects.emit({ type: 'problem', atMs: nowMs(), message: messageOf(error) });
    } finally {
      done.abort();
    }
  }

  /** The profile of a stall is over when the stall is: what comes after belongs to somebody else. */
  async #endWithStall(done: AbortController, durationMs: number): Promise<void> {
    const limitMs = nowMs() + durationMs * 2;
    while (!done.signal.aborted && nowMs() < limitMs) {
      await wait(100, done.signal);
      if (this.#effects.stall().stallMs === 0) done.abort();
    }
  }

  #order(trigger: CaptureTrigger, kinds: readonly string[], durationMs: number): CaptureOrder {
    const { startMs, stallMs, cpuShare } = this.#effects.stall();
    const isStall = trigger.signal === 'stallMs' && stallMs > 0;
    const wanted = this.#settings.pending === 'off' ? kinds.filter((kind) => kind !== 'pending') : kinds;
    return {
      trigger,
      kinds: wanted,
      durationMs,
      troubleMs: isStall ? startMs : trigger.atMs - 5000,
      stallCpuShare: isStall ? cpuShare : Number.NaN,
      manual: false,
    };
  }

  #tell(trigger: CaptureTrigger, outcome: string): void {
    const { rule, reason, atMs } = trigger;
    this.#effects.emit({ type: 'fired', atMs, rule, reason, outcome });
  }

  /** Ends observations that were begun on a suspicion and never needed. */
  async #dropUnused(): Promise<void> {
    for (const [kind, sinceMs] of this.#prepared) {
      if (nowMs() - sinceMs < unusedAfterMs) continue;
      this.#prepared.delete(kind);
      await this.#effects.prepare(`stop ${kind}`).catch(() => {});
    }
  }

  #memoryLimitBytes(): number {
    return this.#history.latest?.values['memoryLimitBytes'] ?? 0;
  }
}
