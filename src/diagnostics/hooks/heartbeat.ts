import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { SharedState } from '../shared-state.ts';
import { Collections } from './collections.ts';

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
  const collections = new Collections(state, sharedNow());
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
    collections.write(now);
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
