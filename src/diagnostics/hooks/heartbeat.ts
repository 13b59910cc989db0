import {
  constants,
  type EventLoopUtilization,
  monitorEventLoopDelay,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { SharedState } from '../shared-state.ts';

/** The worker calls the application blocked when a beat is overdue. 10 beats a second cost 0.02 % of a core. */
const heartbeatMs = 100;
/** Resolution of the native delay histogram; it fires in C++ only. */
const delayResolutionMs = 20;

const origin = performance.timeOrigin;
/** Milliseconds since the epoch on a monotonic scale that all threads share. */
export const sharedNow = (): number => origin + performance.now();

/** Writes loop, heap and GC numbers into the shared state ten times a second; never keeps the process alive. */
export function startHeartbeat(state: SharedState, eachBeat: () => void): { stop(): void } {
  const delay = monitorEventLoopDelay({ resolution: delayResolutionMs });
  delay.enable();
  let epoch = 0;
  const beat = (): void => {
    const now = sharedNow();
    state.set('heartbeatMs', now);
    state.set('dueMs', now + heartbeatMs);
    const cpu = process.threadCpuUsage?.();
    if (cpu !== undefined) state.set('mainCpuMs', (cpu.user + cpu.system) / 1000);
    const asked = state.flag('epoch');
    writeDelay(state, delay);
    if (asked !== epoch) {
      epoch = asked;
      delay.reset();
      state.set('gcPauseMaxMs', 0);
    }
    writeLoop(state, performance.eventLoopUtilization());
    writeHeap(state);
    eachBeat();
  };
  beat();
  const timer = setInterval(beat, heartbeatMs);
  timer.unref();
  const collections = observeCollections(state);
  return {
    stop: () => {
      clearInterval(timer);
      delay.disable();
      collections.disconnect();
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

/** Counts collections. The callback runs a turn after the pause, so the heap it sees is a little above the true one. */
function observeCollections(state: SharedState): PerformanceObserver {
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as unknown as { detail: { kind: number } }).detail;
      state.add('gcPauseMs', entry.duration);
      if (entry.duration > state.get('gcPauseMaxMs')) state.set('gcPauseMaxMs', entry.duration);
      if (kind === constants.NODE_PERFORMANCE_GC_MAJOR) {
        state.add('majorGcCount', 1);
        state.set('heapAfterGcBytes', getHeapStatistics().used_heap_size);
      } else if (kind === constants.NODE_PERFORMANCE_GC_MINOR) {
        state.add('minorGcCount', 1);
      }
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  return observer;
}
