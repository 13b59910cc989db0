import { IntRing } from './int-ring.ts';

/**
 * holmes' rules, decision for decision (mosn/holmes, `matchRule` and the check functions): all numbers are integers,
 * the current value is pushed into the ring before the test, ten samples pass before the first dump.
 */
export const holmesChecks = ['mem', 'cpu', 'thread', 'goroutine', 'gcHeap'] as const;
export type HolmesCheck = (typeof holmesChecks)[number];

export interface HolmesSettings {
  readonly enabled: boolean;
  readonly min: number;
  /** Percent above the average. */
  readonly diff: number;
  readonly abs: number;
  /** 0 is no limit. */
  readonly max: number;
  readonly cooldownMs: number;
}

export type HolmesOptions = Readonly<Record<HolmesCheck, HolmesSettings>> & {
  /** Above this CPU percentage nothing at all is dumped in that tick; 0 is off. */
  readonly cpuMax: number;
};

const minute = 60_000;
const settings = (min: number, diff: number, abs: number, cooldownMs: number): HolmesSettings => ({
  enabled: false,
  min,
  diff,
  abs,
  max: 0,
  cooldownMs,
});

/** holmes' defaults; every check is off until it is enabled. */
export const holmesDefaults: HolmesOptions = {
  mem: settings(10, 25, 80, minute),
  cpu: settings(10, 25, 70, minute),
  thread: settings(10, 25, 70, 60 * minute),
  goroutine: settings(3000, 20, 200_000, 10 * minute),
  gcHeap: settings(10, 20, 40, minute),
  cpuMax: 0,
};

/** holmes' own words, misspelt as there: they are what its users search for. */
export const holmesReasons = {
  lessThanMin: 'curVal < ruleMin',
  greaterThanMax: 'curVal >= ruleMax',
  greaterThanAbs: 'curVal > ruleAbs',
  diff: 'curVal >= ruleMin, and meet diff trigger condition',
  noDiff: "curVal >= ruleMin, but don't meet diff trigger condition",
} as const;

export interface HolmesMatch {
  readonly dump: boolean;
  readonly reason: string;
}

/** `matchRule` of holmes: order of the tests, integer division and all. */
export function matchHolmes(ring: IntRing, current: number, rule: HolmesSettings): HolmesMatch {
  if (current < rule.min) return { dump: false, reason: holmesReasons.lessThanMin };
  if (rule.max !== 0 && current >= rule.max) return { dump: false, reason: holmesReasons.greaterThanMax };
  if (current > rule.abs) return { dump: true, reason: holmesReasons.greaterThanAbs };
  const threshold = Math.trunc((ring.average() * (100 + rule.diff)) / 100);
  return current >= threshold
    ? { dump: true, reason: holmesReasons.diff }
    : { dump: false, reason: holmesReasons.noDiff };
}

export interface HolmesDecision extends HolmesMatch {
  readonly check: HolmesCheck;
  readonly current: number;
  readonly average: number;
  readonly previous: readonly number[];
  /** `thr-<n>` and `heap-<n>` join dumps that belong together; empty otherwise. */
  readonly eventId: string;
}

export interface HolmesTick {
  /** Percent of the memory limit, integer. */
  readonly mem: number;
  /** Percent of the cores, integer. */
  readonly cpu: number;
  readonly goroutine: number;
  readonly thread: number;
}

const ringLength = 10;
/** Samples before the first dump. */
const warmUpCycles = 10;

/** The state of one holmes instance. Time is the caller's: milliseconds of any origin. */
export class HolmesEngine {
  options: HolmesOptions;
  readonly #rings: Readonly<Record<HolmesCheck, IntRing>>;
  readonly #cooledAtMs: Record<HolmesCheck, number>;
  #cycles = 0;
  #gcCycles = 0;
  #threadEvents = 0;
  #heapEvents = 0;
  #secondHeapDump = false;

  constructor(options: HolmesOptions) {
    this.options = options;
    const ring = (): IntRing => new IntRing(ringLength);
    this.#rings = { mem: ring(), cpu: ring(), thread: ring(), goroutine: ring(), gcHeap: ring() };
    this.#cooledAtMs = { mem: 0, cpu: 0, thread: 0, goroutine: 0, gcHeap: 0 };
  }

  /** One collect interval: mem, cpu, thread, goroutine in holmes' order. Returns what was tested, dumps or not. */
  tick(values: HolmesTick, nowMs: number): HolmesDecision[] {
    for (const check of ['cpu', 'mem', 'goroutine', 'thread'] as const)
      this.#rings[check].push(values[check]);
    this.#cycles++;
    if (this.#cycles < warmUpCycles) return [];
    const { cpuMax } = this.options;
    if (cpuMax !== 0 && values.cpu >= cpuMax) return [];
    const decisions: HolmesDecision[] = [];
    for (const check of ['mem', 'cpu', 'thread', 'goroutine'] as const) {
      const decision = this.#decide(check, values[check], nowMs);
      if (decision === undefined) continue;
      decisions.push(decision);
      if (check === 'thread' && decision.dump)
        decisions.push(...this.#goroutineOfThread(decision, values, nowMs));
    }
    return decisions;
  }

  /** One collection: `percent` is 100 x live heap over the memory limit. A dump is followed by a forced one at the next. */
  gcCycle(percent: number, nowMs: number): HolmesDecision | undefined {
    if (!this.options.gcHeap.enabled) return undefined;
    this.#rings.gcHeap.push(percent);
    this.#gcCycles++;
    if (this.#gcCycles < warmUpCycles) return undefined;
    if (nowMs < this.#cooledAtMs.gcHeap) return undefined;
    const { dump, reason } = matchHolmes(this.#rings.gcHeap, percent, this.options.gcHeap);
    const decision = this.#decision('gcHeap', percent, { dump: dump || this.#secondHeapDump, reason });
    if (this.#secondHeapDump) {
      this.#secondHeapDump = false;
      this.#heapEvents++;
      this.#coolDown('gcHeap', nowMs);
    } else if (dump) {
      this.#secondHeapDump = true;
    }
    return decision;
  }

  /** The cool-down starts after the profile was written. */
  dumped(check: HolmesCheck, nowMs: number): void {
    if (check !== 'gcHeap') this.#coolDown(check, nowMs);
  }

  /** Stop and start make the rings anew; the warm-up is not repeated. */
  restart(): HolmesEngine {
    const next = new HolmesEngine(this.options);
    next.#cycles = this.#cycles;
    next.#gcCycles = this.#gcCycles;
    return next;
  }

  #decide(check: HolmesCheck, current: number, nowMs: number): HolmesDecision | undefined {
    if (!this.options[check].enabled || nowMs < this.#cooledAtMs[check]) return undefined;
    const match = matchHolmes(this.#rings[check], current, this.options[check]);
    const decision = this.#decision(check, current, match);
    if (match.dump) {
      if (check === 'thread') this.#threadEvents++;
      this.#coolDown(check, nowMs);
    }
    return decision;
  }

  /** A thread dump writes the goroutines too and pushes their cool-down forward. */
  #goroutineOfThread(thread: HolmesDecision, values: HolmesTick, nowMs: number): HolmesDecision[] {
    if (this.options.goroutine.enabled) this.#coolDown('goroutine', nowMs);
    const joined = this.#decision('goroutine', values.goroutine, { dump: true, reason: thread.reason });
    return [{ ...joined, eventId: thread.eventId }];
  }

  #decision(check: HolmesCheck, current: number, match: HolmesMatch): HolmesDecision {
    const ring = this.#rings[check];
    return {
      ...match,
      check,
      current,
      average: ring.average(),
      previous: ring.sequence(),
      eventId: match.dump ? this.#eventId(check) : '',
    };
  }

  #eventId(check: HolmesCheck): string {
    if (check === 'thread') return `thr-${this.#threadEvents}`;
    return check === 'gcHeap' ? `heap-${this.#heapEvents}` : '';
  }

  #coolDown(check: HolmesCheck, nowMs: number): void {
    this.#cooledAtMs[check] = nowMs + this.options[check].cooldownMs;
  }
}
