import type { SignalSample } from '../../core/contract/signal.ts';
import type { CaptureTrigger } from '../../core/contract/sink.ts';
import type { RuleState } from '../contract.ts';
import {
  type HolmesCheck,
  type HolmesDecision,
  HolmesEngine,
  type HolmesOptions,
  holmesChecks,
} from './holmes.ts';

/** Which signal of ours stands for a value of holmes, and what is captured when its check fires. */
const checks: Readonly<Record<HolmesCheck, { signal: string; capture: readonly string[] }>> = {
  mem: { signal: 'memoryPercent', capture: ['heap'] },
  cpu: { signal: 'cpuOfLimitPercent', capture: ['cpu', 'before'] },
  thread: { signal: 'threads', capture: ['cpu'] },
  goroutine: { signal: 'pendingCount', capture: ['pending', 'in-flight'] },
  // Not the bytes: holmes compares their share of the memory limit.
  gcHeap: { signal: 'gcHeapPercent', capture: ['heap'] },
};

export interface HolmesCapture {
  readonly trigger: CaptureTrigger;
  readonly kinds: readonly string[];
  readonly eventId: string;
}

/** holmes' engine on our samples: integers, one collection a cycle, captures instead of dumps. */
export class HolmesRules {
  readonly #engine: HolmesEngine;
  readonly #memoryLimitBytes: () => number;
  readonly #fired: Record<HolmesCheck, number> = { mem: 0, cpu: 0, thread: 0, goroutine: 0, gcHeap: 0 };
  #majorGcCount = 0;

  constructor(options: HolmesOptions, memoryLimitBytes: () => number) {
    this.#engine = new HolmesEngine(options);
    this.#memoryLimitBytes = memoryLimitBytes;
  }

  setOptions(options: HolmesOptions): void {
    this.#engine.options = options;
  }

  step(sample: SignalSample): HolmesCapture[] {
    const value = (check: HolmesCheck): number => Math.trunc(sample.values[checks[check].signal] ?? 0);
    const values = {
      mem: value('mem'),
      cpu: value('cpu'),
      thread: value('thread'),
      goroutine: value('goroutine'),
    };
    const decisions = this.#engine.tick(values, sample.atMs);
    const afterGc = this.#stepGc(sample);
    if (afterGc !== undefined) decisions.push(afterGc);
    return decisions
      .filter((decision) => decision.dump)
      .map((decision) => this.#capture(decision, sample.atMs));
  }

  captured(check: string, atMs: number): void {
    if ((holmesChecks as readonly string[]).includes(check)) this.#engine.dumped(check as HolmesCheck, atMs);
  }

  states(): RuleState[] {
    const { options } = this.#engine;
    return holmesChecks.map((check) => ({
      name: check,
      enabled: options[check].enabled,
      signal: checks[check].signal,
      settings: { ...options[check], ...(check === 'cpu' && { cpuMax: options.cpuMax }) },
      firedCount: this.#fired[check],
      held: '',
    }));
  }

  #stepGc(sample: SignalSample): HolmesDecision | undefined {
    const count = sample.values['majorGcCount'] ?? 0;
    if (count === this.#majorGcCount) return undefined;
    this.#majorGcCount = count;
    const live = sample.values['heapAfterGcBytes'] ?? 0;
    const limit = this.#memoryLimitBytes();
    return limit > 0 ? this.#engine.gcCycle(Math.trunc((100 * live) / limit), sample.atMs) : undefined;
  }

  #capture(
    { check, reason, current, average, previous, eventId }: HolmesDecision,
    atMs: number,
  ): HolmesCapture {
    this.#fired[check]++;
    const { signal, capture } = checks[check];
    const settings = { ...this.#engine.options[check] };
    return {
      eventId,
      kinds: capture,
      trigger: { rule: check, signal, reason, current, average, settings, previous, atMs },
    };
  }
}
