import type { HookReport } from '../hooks/install.ts';
import type { SharedState } from '../shared-state.ts';

/** Old space is smaller than `heap_size_limit`: that adds three semi-spaces (Node 24: 192 MB, Node 20: 48 MB). */
export interface HeapLimit {
  readonly oldSpaceBytes: number;
}

interface Last {
  readonly nowMs: number;
  readonly loopIdleMs: number;
  readonly loopActiveMs: number;
  readonly gcPauseMs: number;
}

/** What the hooks on the application's thread tell, as the values of one tick. */
export class AppSignals {
  readonly #state: SharedState;
  readonly #limit: HeapLimit;
  #last: Last | undefined;
  #beforeLast: Last | undefined;
  #report: HookReport | undefined;

  constructor(state: SharedState, limit: HeapLimit) {
    this.#state = state;
    this.#limit = limit;
  }

  accept(report: HookReport): void {
    this.#report = report;
  }

  /** @param stallMs how long the loop has not turned; its numbers are then stale and the loop counts as busy. */
  read(nowMs: number, stallMs: number): Record<string, number> {
    const state = this.#state;
    const values: Record<string, number> = {
      stallMs,
      loopDelayP50Ms: state.get('delayP50Ms'),
      loopDelayP99Ms: Math.max(state.get('delayP99Ms'), stallMs),
      loopDelayMaxMs: Math.max(state.get('delayMaxMs'), stallMs),
      heapUsedBytes: state.get('heapUsedBytes'),
      heapAfterGcBytes: state.get('heapAfterGcBytes'),
      heapOfLimitPercent: (state.get('heapUsedBytes') / this.#limit.oldSpaceBytes) * 100,
      externalBytes: state.get('externalBytes'),
      gcPauseMs: state.get('gcPauseMs'),
      majorGcCount: state.get('majorGcCount'),
      minorGcCount: state.get('minorGcCount'),
      gcPauseMaxMs: state.get('gcPauseMaxMs'),
      serverInFlight: state.get('serverInFlight'),
      serverOldestMs: age(nowMs, state.get('serverOldestStartMs')),
      clientInFlight: state.get('clientInFlight'),
      clientOldestMs: age(nowMs, state.get('clientOldestStartMs')),
      pendingStreams: state.get('pendingStreams'),
      streamOldestMs: age(nowMs, state.get('streamOldestStartMs')),
      activeResources: state.get('activeResources'),
    };
    if (values['heapAfterGcBytes'] === 0) delete values['heapAfterGcBytes'];
    values['pendingCount'] = pendingCount(state);
    this.#addRates(values, nowMs, stallMs);
    this.#addNamed(values);
    return values;
  }

  #addRates(values: Record<string, number>, nowMs: number, stallMs: number): void {
    const state = this.#state;
    const next: Last = {
      nowMs,
      loopIdleMs: state.get('loopIdleMs'),
      loopActiveMs: state.get('loopActiveMs'),
      gcPauseMs: state.get('gcPauseMs'),
    };
    const last = this.#last;
    this.#last = next;
    if (last === undefined || nowMs <= last.nowMs) return;
    const elapsedMs = nowMs - last.nowMs;
    const idle = next.loopIdleMs - last.loopIdleMs;
    const active = next.loopActiveMs - last.loopActiveMs + Math.min(stallMs, elapsedMs);
    values['loopUtilization'] = idle + active > 0 ? active / (idle + active) : 0;
    // Over two ticks: a pause is told when the loop turns again, which may be a tick later.
    const earlier = this.#beforeLast ?? last;
    this.#beforeLast = last;
    const gcMs = next.gcPauseMs - earlier.gcPauseMs;
    values['gcTimePercent'] = Math.min(100, (gcMs / (nowMs - earlier.nowMs)) * 100);
  }

  #addNamed(values: Record<string, number>): void {
    const report = this.#report;
    if (report === undefined) return;
    values['arrayBufferBytes'] = report.arrayBufferBytes;
    for (const [type, count] of Object.entries(report.resources)) values[`resource:${type}`] = count;
    for (const [name, value] of Object.entries(report.user)) values[`user:${name}`] = value;
  }
}

function pendingCount(state: SharedState): number {
  return (
    state.get('activeResources') +
    state.get('serverInFlight') +
    state.get('clientInFlight') +
    state.get('pendingStreams') +
    state.get('pendingEstimate')
  );
}

const age = (nowMs: number, startMs: number): number => (startMs === 0 ? 0 : Math.max(0, nowMs - startMs));
