import type { SignalSample } from '../../core/contract/signal.ts';
import type { CaptureTrigger } from '../../core/contract/sink.ts';
import type { RuleState } from '../contract.ts';
import { evaluate, type Finding } from './evaluate.ts';
import { SignalHistory } from './history.ts';
import { freshState, type State } from './rule-state.ts';
import type { Rule, SlopeRule } from './rule-types.ts';

/** What the caller has to do; the engine itself does nothing but decide. */
export type RuleAction =
  | { readonly type: 'capture'; readonly rule: Rule; readonly trigger: CaptureTrigger }
  /** Start the observations of `rule.prepare`: it is half-way. */
  | { readonly type: 'prepare'; readonly rule: Rule }
  /** Collect garbage, then call `confirm` with the value of the rule's signal. */
  | { readonly type: 'collect'; readonly rule: SlopeRule }
  /** It would fire but may not; `reason` says why. */
  | { readonly type: 'held'; readonly rule: Rule; readonly reason: string; readonly trigger: CaptureTrigger };

export interface RuleEngineOptions {
  readonly intervalMs: number;
  /** Silent so long after the first sample. @default 10000 */
  readonly warmUpMs?: number;
}

const notCalm = 'not calm since the last capture';
const hourMs = 3_600_000;
/** Garbage comes back to about the level at which it was collected; what rises so far above it is news. */
const newsRatio = { hold: 1.5, deviation: 1.5, stall: 1.5, slope: 1.5, nearLimit: 1.2 } as const;
const firstRestMs = 3000;
const longestRestMs = 600_000;

/** Decides on samples alone: the same samples give the same actions, live or replayed from a file. */
export class RuleEngine {
  readonly history: SignalHistory;
  readonly #warmUpMs: number;
  #rules: readonly Rule[];
  #states = new Map<string, State>();
  #firstMs: number | undefined;
  #paused = false;

  constructor(rules: readonly Rule[], options: RuleEngineOptions) {
    this.#rules = rules;
    this.#warmUpMs = options.warmUpMs ?? 10_000;
    this.history = new SignalHistory(options.intervalMs);
  }

  /** Rules that keep their name keep their cool-down. */
  setRules(rules: readonly Rule[]): void {
    this.#rules = rules;
    const names = new Set(rules.map((rule) => rule.name));
    for (const name of this.#states.keys()) if (!names.has(name)) this.#states.delete(name);
  }

  pause(paused: boolean): void {
    this.#paused = paused;
  }

  /** A regular sample, or an `urgent` one in between that only stall and nearLimit rules see. */
  step(sample: SignalSample, urgent = false): RuleAction[] {
    this.#firstMs ??= sample.atMs;
    if (!urgent) this.history.push(sample);
    if (this.#paused) return [];
    return this.#rules.flatMap((rule) => (rule.enabled ? this.#stepRule(rule, sample, urgent) : []));
  }

  /** The value of a rule's signal right after the collection that it asked for. */
  confirm(ruleName: string, value: number, atMs: number): RuleAction[] {
    const rule = this.#rules.find((candidate) => candidate.name === ruleName);
    const state = this.#states.get(ruleName);
    const confirming = state?.confirming;
    if (rule?.type !== 'slope' || state === undefined || confirming === undefined) return [];
    confirming.asked = false;
    const growth = confirming.since.current - confirming.startValue;
    if (value - confirming.startValue < growth * 0.5) return this.#refute(state, atMs);
    if (confirming.firstValue === undefined) {
      confirming.firstValue = value;
      confirming.firstAtMs = atMs;
      return [{ type: 'prepare', rule }];
    }
    const expected = (growth / rule.windowMs) * (atMs - confirming.firstAtMs);
    if (value - confirming.firstValue < expected * 0.4) return this.#refute(state, atMs);
    state.confirming = undefined;
    const reason = `${confirming.since.reason}; two collections did not free it`;
    return this.#fire(rule, state, { ...confirming.since, current: value, reason }, atMs);
  }

  /** The capture showed that it was nothing (a heap full of garbage): as if it had not fired, but it rests a while. */
  refuted(ruleName: string, atMs: number): void {
    const state = this.#states.get(ruleName);
    if (state !== undefined) this.#refute(state, atMs);
    this.postponed(ruleName);
  }

  /** No capture could be taken, e.g. because another one was: it fires again at the next sample if it still holds. */
  postponed(ruleName: string): void {
    const state = this.#states.get(ruleName);
    if (state === undefined) return;
    state.captures.pop();
    state.fired--;
    state.cooledAtMs = 0;
    state.armed = true;
  }

  /** Call when the capture of a rule is done: the cool-down counts from here. */
  captured(ruleName: string, atMs: number): void {
    const rule = this.#rules.find((candidate) => candidate.name === ruleName);
    const state = this.#states.get(ruleName);
    if (rule !== undefined && state !== undefined) state.cooledAtMs = atMs + rule.cooldownMs;
  }

  states(nowMs: number): RuleState[] {
    return this.#rules.map((rule) => {
      const state = this.#states.get(rule.name);
      const signal =
        rule.type === 'hold' ? (rule.when[0]?.signal ?? '') : rule.type === 'stall' ? 'stallMs' : rule.signal;
      const held = this.#heldNow(rule, state, nowMs);
      const { name, enabled } = rule;
      return { name, enabled, signal, settings: { ...rule }, firedCount: state?.fired ?? 0, held };
    });
  }

  #heldNow(rule: Rule, state: State | undefined, nowMs: number): string {
    if (this.#paused) return 'paused';
    if (this.#isWarmingUp(rule, nowMs)) return 'warming up';
    return state !== undefined && nowMs < state.cooledAtMs ? 'cooling down' : '';
  }

  #isWarmingUp(rule: Rule, nowMs: number): boolean {
    return rule.warmUp && nowMs - (this.#firstMs ?? nowMs) < this.#warmUpMs;
  }

  #stepRule(rule: Rule, sample: SignalSample, urgent: boolean): RuleAction[] {
    const state = this.#stateOf(rule.name);
    if (state.confirming !== undefined)
      return urgent ? [] : this.#continueConfirming(rule, state, sample.atMs);
    const finding = evaluate(rule, this.history, urgent ? sample : undefined);
    if (finding === undefined) {
      // A rule that only urgent looks can judge is not calm because a regular one was skipped.
      if (!urgent || rule.type === 'stall' || rule.type === 'nearLimit') {
        state.armed = true;
        state.heldReason = '';
      }
      return [];
    }
    if (finding.state === 'suspect')
      return rule.prepare.length > 0 && state.armed ? [{ type: 'prepare', rule }] : [];
    if (rule.type === 'slope' && rule.confirm === 'gc')
      return this.#startConfirming(rule, state, finding, sample.atMs);
    return this.#fire(rule, state, finding, sample.atMs);
  }

  #startConfirming(rule: SlopeRule, state: State, finding: Finding, atMs: number): RuleAction[] {
    if (this.#blockedBy(rule, state, finding, atMs) !== '') return [];
    state.suspectedValue = finding.current;
    state.confirming = {
      since: finding,
      startValue: finding.average,
      firstValue: undefined,
      firstAtMs: 0,
      asked: true,
    };
    return [{ type: 'collect', rule }];
  }

  #continueConfirming(rule: Rule, state: State, atMs: number): RuleAction[] {
    const confirming = state.confirming;
    if (rule.type !== 'slope' || confirming === undefined || confirming.asked) return [];
    if (confirming.firstValue === undefined || atMs - confirming.firstAtMs < rule.confirmMs) return [];
    confirming.asked = true;
    return [{ type: 'collect', rule }];
  }

  #refute(state: State, atMs: number): RuleAction[] {
    state.confirming = undefined;
    state.refutedValue = state.suspectedValue;
    state.restMs = Math.min(longestRestMs, state.restMs === 0 ? firstRestMs : state.restMs * 2);
    state.restUntilMs = atMs + state.restMs;
    return [];
  }

  #fire(rule: Rule, state: State, finding: Finding, atMs: number): RuleAction[] {
    const trigger = this.#trigger(rule, finding, atMs);
    const blocked = this.#blockedBy(rule, state, finding, atMs);
    // The trouble that was captured goes on: nothing new to tell.
    if (blocked === notCalm) return [];
    if (blocked !== '') {
      if (state.heldReason === blocked) return [];
      state.heldReason = blocked;
      return [{ type: 'held', rule, reason: blocked, trigger }];
    }
    state.armed = false;
    state.heldReason = '';
    state.fired++;
    state.cooledAtMs = atMs + rule.cooldownMs;
    state.suspectedValue = finding.current;
    state.captures.push({ atMs, value: finding.current });
    return [{ type: 'capture', rule, trigger }];
  }

  #blockedBy(rule: Rule, state: State, finding: Finding, atMs: number): string {
    if (this.#isWarmingUp(rule, atMs)) return 'warming up';
    if (!state.armed) return notCalm;
    if (atMs < state.restUntilMs && finding.current < state.refutedValue * newsRatio[rule.type])
      return 'resting after a false suspicion';
    if (atMs < state.cooledAtMs) return 'cooling down';
    state.captures = state.captures.filter((capture) => atMs - capture.atMs < hourMs);
    if (state.captures.length >= rule.maxPerHour) return 'captures of this hour used up';
    const largest = Math.max(0, ...state.captures.map((capture) => capture.value));
    return rule.twiceTheLast && finding.current < largest * 2 ? 'not twice the last captured value' : '';
  }

  #trigger(rule: Rule, finding: Finding, atMs: number): CaptureTrigger {
    const { signal, reason, current, average } = finding;
    const previous = this.history.before(signal, 0, 60_000);
    return { rule: rule.name, signal, reason, current, average, settings: { ...rule }, previous, atMs };
  }

  #stateOf(name: string): State {
    let state = this.#states.get(name);
    if (state === undefined) {
      state = freshState();
      this.#states.set(name, state);
    }
    return state;
  }
}
