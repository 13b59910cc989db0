import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { SharedState } from '../shared-state.ts';

/** From so many collections a tick on, being told of each would be felt. */
const manyCollections = 100;
/** Then one tick in so many is recorded, and the others are taken to be like it. */
const restTicks = 9;

type CollectionEntry = PerformanceEntry & { readonly detail: { readonly kind: number } };

interface Tick {
  count: number;
  pauseMs: number;
  longestMs: number;
}

/**
 * Counts collections as a PerformanceObserver tells them: 15 to 30 us each, where a `GCProfiler` writes two full heap
 * statistics as JSON for each (100 to 400 us, 4 % of a service that makes 100 short collections a second). Where they
 * are many and short most ticks go unrecorded; not where they take time or the heap is half full: that is where
 * collections are the trouble.
 */
export class Collections {
  readonly #state: SharedState;
  readonly #observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) this.#record(entry);
  });
  #now: Tick = { count: 0, pauseMs: 0, longestMs: 0 };
  #usual: Tick | undefined;
  #restTicks = 0;
  #lastMs: number;

  /** @param nowMs monotonic. */
  constructor(state: SharedState, nowMs: number) {
    this.#state = state;
    this.#lastMs = nowMs;
    this.#start();
  }

  /** Once per tick of the worker: the longest pause begins anew. */
  write(nowMs: number): void {
    const elapsedMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    const isHalfFull = this.#state.get('heapUsedBytes') > this.#state.get('heapLimitBytes') / 2;
    if (this.#usual !== undefined) {
      this.#state.add('gcPauseMs', this.#usual.pauseMs);
      this.#state.add('minorGcCount', this.#usual.count);
      if (--this.#restTicks <= 0 || isHalfFull) this.#start();
      return;
    }
    // What the callback would be told one turn of the loop later.
    for (const entry of this.#observer.takeRecords()) this.#record(entry);
    const tick = this.#now;
    this.#now = { count: 0, pauseMs: 0, longestMs: 0 };
    this.#state.set('gcPauseMaxMs', tick.longestMs);
    if (tick.count <= manyCollections || tick.pauseMs >= elapsedMs / 10 || isHalfFull) return;
    this.#observer.disconnect();
    this.#usual = tick;
    this.#restTicks = restTicks;
  }

  stop(): void {
    this.#observer.disconnect();
  }

  #start(): void {
    this.#usual = undefined;
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** What comes late, after a disconnect, still counts. */
  #record(entry: PerformanceEntry): void {
    const { duration, detail } = entry as CollectionEntry;
    const tick = this.#now;
    tick.pauseMs += duration;
    if (duration > tick.longestMs) tick.longestMs = duration;
    this.#state.add('gcPauseMs', duration);
    const { kind } = detail;
    if (kind === constants.NODE_PERFORMANCE_GC_MAJOR) {
      this.#state.add('majorGcCount', 1);
      // A turn of the loop later: what was allocated meanwhile is in it.
      this.#state.set('heapAfterGcBytes', getHeapStatistics().used_heap_size);
    } else if (
      kind !== constants.NODE_PERFORMANCE_GC_INCREMENTAL &&
      kind !== constants.NODE_PERFORMANCE_GC_WEAKCB
    ) {
      tick.count++;
      this.#state.add('minorGcCount', 1);
    }
  }
}
