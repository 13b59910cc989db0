import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { GCProfiler, type GCProfilerResult, getHeapStatistics } from 'node:v8';
import type { SharedState } from '../shared-state.ts';

/** The worker calls the application blocked when a beat is overdue. 10 beats a second cost 0.02 % of a core. */
const heartbeatMs = 100;
/** Resolution of the native delay histogram; it fires in C++ only. Each wake-up of an idle process is 20 to 50 us. */
const delayResolutionMs = 50;

const origin = performance.timeOrigin;
/** Milliseconds since the epoch on a monotonic scale that all threads share. */
export const sharedNow = (): number => origin + performance.now();

/** Others that work at the same pace. */
export interface BeatListener {
  /** Ten times a second. */
  beat(): void;
  /** Once per tick of the worker: adds what it wants to know. */
  answer(): void;
}

/**
 * Writes the time and the heap into the shared state ten times a second, and everything else when the worker asks;
 * never keeps the process alive.
 */
export function startHeartbeat(state: SharedState, listener: BeatListener): { stop(): void } {
  const delay = monitorEventLoopDelay({ resolution: delayResolutionMs });
  delay.enable();
  const collections = new Collections(state);
  let answered = -1;
  const beat = (): void => {
    const now = sharedNow();
    state.set('heartbeatMs', now);
    state.set('dueMs', now + heartbeatMs);
    const cpu = process.threadCpuUsage?.();
    if (cpu !== undefined) state.set('mainCpuMs', (cpu.user + cpu.system) / 1000);
    writeHeap(state);
    listener.beat();
    const asked = state.flag('asked');
    if (asked === answered) return;
    answered = asked;
    writeDelay(state, delay);
    delay.reset();
    collections.write();
    writeLoop(state, performance.eventLoopUtilization());
    listener.answer();
  };
  beat();
  const timer = setInterval(beat, heartbeatMs);
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      delay.disable();
      collections.stop();
    },
  };
}

interface DelayHistogram {
  readonly max: number;
  percentile(percentile: number): number;
}

function writeDelay(state: SharedState, delay: DelayHistogram): void {
  // The histogram holds whole intervals; what is beyond the resolution is delay. It is empty right after a reset.
  const excess = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - delayResolutionMs);
  if (delay.max === 0) return;
  state.set('delayP50Ms', excess(delay.percentile(50)));
  state.set('delayP99Ms', excess(delay.percentile(99)));
  state.set('delayMaxMs', excess(delay.max));
}

function writeLoop(state: SharedState, loop: EventLoopUtilization): void {
  state.set('loopIdleMs', loop.idle);
  state.set('loopActiveMs', loop.active);
}

function writeHeap(state: SharedState): void {
  const heap = getHeapStatistics();
  state.set('heapUsedBytes', heap.used_heap_size);
  state.set('heapTotalBytes', heap.total_heap_size);
  state.set('heapLimitBytes', heap.heap_size_limit);
  state.set('externalBytes', heap.external_memory);
}

/** From so many collections a tick on, recording each would be felt. */
const manyCollections = 50;
/** Then one tick in so many is recorded, and the others are taken to be like it. */
const restTicks = 9;

/**
 * Counts collections from V8's own list of them, read once per tick. Each record costs 100 us, which is 4 % of a
 * service that makes 300 short collections a second; so where they are many and short, most ticks go unrecorded. Not
 * where they take time or the heap is half full: that is where collections are the trouble.
 */
class Collections {
  readonly #state: SharedState;
  #profiler: GCProfiler | undefined;
  #restTicks = 0;
  #lastMs = sharedNow();
  #usual = { pauseMs: 0, count: 0 };

  constructor(state: SharedState) {
    this.#state = state;
    this.#start();
  }

  /** Writes what has happened since the last call. */
  write(): void {
    const elapsedMs = sharedNow() - this.#lastMs;
    this.#lastMs = sharedNow();
    const isHalfFull = this.#state.get('heapUsedBytes') > this.#state.get('heapLimitBytes') / 2;
    if (this.#profiler === undefined) {
      this.#state.add('gcPauseMs', this.#usual.pauseMs);
      this.#state.add('minorGcCount', this.#usual.count);
      if (--this.#restTicks <= 0 || isHalfFull) this.#start();
      return;
    }
    const { statistics } = this.#profiler.stop() ?? { statistics: [] };
    this.#profiler = undefined;
    const pauseMs = this.#count(statistics);
    this.#usual = { pauseMs, count: statistics.length };
    const isHarmless = statistics.length > manyCollections && pauseMs < elapsedMs / 10 && !isHalfFull;
    if (isHarmless) this.#restTicks = restTicks;
    else this.#start();
  }

  stop(): void {
    this.#profiler?.stop();
  }

  #start(): void {
    this.#profiler = new GCProfiler();
    this.#profiler.start();
  }

  #count(statistics: GCProfilerResult['statistics']): number {
    const state = this.#state;
    let longestMs = 0;
    let allMs = 0;
    for (const { gcType, cost, afterGC } of statistics) {
      const pauseMs = cost / 1000;
      allMs += pauseMs;
      if (pauseMs > longestMs) longestMs = pauseMs;
      if (gcType === 'MarkSweepCompact') {
        state.add('majorGcCount', 1);
        state.set('heapAfterGcBytes', afterGC.heapStatistics.usedHeapSize);
      } else if (gcType !== 'IncrementalMarking' && gcType !== 'ProcessWeakCallbacks') {
        state.add('minorGcCount', 1);
      }
    }
    state.add('gcPauseMs', allMs);
    state.set('gcPauseMaxMs', longestMs);
    return allMs;
  }
}
