import { SeededRandom } from '../../../src/core/base/random.ts';
import {
  type HolmesCheck,
  HolmesEngine,
  type HolmesOptions,
  type HolmesSettings,
  holmesChecks,
} from '../../../src/diagnostics/rules/holmes.ts';

export interface Trace extends HolmesOptions {
  readonly intervalMs: number;
  readonly ticks: readonly TraceTick[];
}

interface TraceTick {
  readonly mem: number;
  readonly cpu: number;
  readonly thread: number;
  readonly goroutine: number;
  readonly gc: readonly number[];
}

export interface TickDecision {
  readonly dumped: readonly string[];
  readonly averages: readonly number[];
}

/** Random rules and random signals around their thresholds: steps, ramps, noise, calm. */
export function makeTrace(seed: number, restsGoroutines: boolean): Trace {
  const random = new SeededRandom(seed);
  const int = (low: number, high: number): number => low + Math.floor(random.next() * (high - low + 1));
  const chance = (share: number): boolean => random.next() < share;
  const settings = (scale: number): HolmesSettings => ({
    enabled: chance(0.8),
    min: int(0, 30) * scale,
    diff: int(0, 60),
    abs: int(30, 95) * scale,
    max: 0,
    cooldownMs: int(0, 12) * 5000,
  });
  const walk = (scale: number): (() => number) => {
    let level = int(0, 100) * scale;
    return () => {
      if (chance(0.1)) level = int(0, 110) * scale;
      return Math.max(0, level + int(-8, 8) * scale);
    };
  };
  const thread = settings(1);
  const goroutine = { ...settings(100), max: chance(0.3) ? int(50, 100) * 100 : 0 };
  const [mem, cpu, threads, goroutines, heap] = [walk(1), walk(1), walk(1), walk(100), walk(1)];
  return {
    mem: settings(1),
    cpu: settings(1),
    thread,
    // Versions differ in whether a thread dump rests this check, so older ones get only one of the two.
    goroutine: restsGoroutines || !thread.enabled ? goroutine : { ...goroutine, enabled: false },
    gcHeap: settings(1),
    cpuMax: chance(0.3) ? int(60, 100) : 0,
    intervalMs: 5000,
    ticks: Array.from({ length: int(15, 80) }, () => ({
      mem: mem(),
      cpu: cpu(),
      thread: threads(),
      goroutine: goroutines(),
      gc: Array.from({ length: int(0, 2) }, heap),
    })),
  };
}

/** The same trace through our engine. A thread dump's joined goroutine profile is no decision of that check. */
export function decide(trace: Trace): TickDecision[] {
  const engine = new HolmesEngine(trace);
  const rings = new Map<HolmesCheck, number[]>(holmesChecks.map((check) => [check, []]));
  const push = (check: HolmesCheck, value: number): void => {
    rings.set(check, [...(rings.get(check) ?? []), value].slice(-10));
  };
  let nowMs = 0;
  return trace.ticks.map((tick) => {
    nowMs += trace.intervalMs;
    for (const check of ['mem', 'cpu', 'thread', 'goroutine'] as const) push(check, tick[check]);
    const dumped: string[] = [];
    for (const decision of engine.tick(tick, nowMs)) {
      const isJoined = decision.check === 'goroutine' && decision.eventId !== '';
      if (decision.dump && !isJoined) dumped.push(decision.check);
    }
    for (const percent of tick.gc) {
      if (trace.gcHeap.enabled) push('gcHeap', percent);
      if (engine.gcCycle(percent, nowMs)?.dump) dumped.push('gcHeap');
    }
    const averages = holmesChecks.map((check) => {
      const values = rings.get(check) ?? [];
      return values.length === 0
        ? 0
        : Math.trunc(values.reduce((sum, value) => sum + value, 0) / values.length);
    });
    return { dumped, averages };
  });
}
