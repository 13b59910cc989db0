/**
 * What the application's thread tells the monitor without a message: one Float64Array over shared memory, written on
 * the application's heartbeat (100 ms) and read by the worker at any time, also while the application is blocked.
 */
const cells = [
  /** performance.timeOrigin + performance.now() of the last heartbeat: one scale for every thread. */
  'heartbeatMs',
  /** When the next heartbeat is due. */
  'dueMs',
  /** CPU of the main thread at the last heartbeat; 0 where Node cannot tell. */
  'mainCpuMs',
  /** `performance.eventLoopUtilization()`, cumulative milliseconds. */
  'loopIdleMs',
  'loopActiveMs',
  /** Of the delay histogram between the last two answers (see `asked`). */
  'delayP50Ms',
  'delayP99Ms',
  'delayMaxMs',
  'heapUsedBytes',
  'heapTotalBytes',
  'heapLimitBytes',
  'externalBytes',
  'arrayBufferBytes',
  /** Lowest used heap seen right after a major collection; 0 before the first. */
  'heapAfterGcBytes',
  'majorGcCount',
  'minorGcCount',
  /** Cumulative pause. */
  'gcPauseMs',
  /** Longest pause between the last two answers. */
  'gcPauseMaxMs',
  'activeResources',
  'serverInFlight',
  'serverOldestStartMs',
  'clientInFlight',
  'clientOldestStartMs',
  'pendingEstimate',
  'pendingStreams',
  'streamOldestStartMs',
  'uncaughtCount',
] as const;

export type SharedCell = (typeof cells)[number];

/** Int32 flags after the numbers. */
const flagNames = [
  /** The worker bumps it shortly before each tick; the next beat then answers with everything and starts its maxima anew. */
  'asked',
  /** Set by the application when it is about to exit. */
  'exiting',
  /** Set by the worker when its inspector sessions are closed. */
  'released',
  /** Set by the worker before it opens the first one. */
  'connecting',
  /** Set by the worker when the evidence of an emergency is on disk, which the application waits for. */
  'resume',
] as const;
export type SharedFlag = (typeof flagNames)[number];

const bytes = cells.length * 8 + flagNames.length * 4 + 4;

/** A view of the shared memory; both sides make one over the same buffer. */
export class SharedState {
  readonly buffer: SharedArrayBuffer;
  readonly flags: Int32Array<SharedArrayBuffer>;
  readonly #values: Float64Array;
  readonly #index: Readonly<Record<string, number>>;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(bytes)) {
    this.buffer = buffer;
    this.#values = new Float64Array(buffer, 0, cells.length);
    this.flags = new Int32Array(buffer, cells.length * 8, flagNames.length);
    this.#index = Object.fromEntries(cells.map((name, index) => [name, index]));
  }

  get(name: SharedCell): number {
    return this.#values[this.#index[name] ?? 0] ?? 0;
  }

  set(name: SharedCell, value: number): void {
    this.#values[this.#index[name] ?? 0] = value;
  }

  add(name: SharedCell, value: number): void {
    this.set(name, this.get(name) + value);
  }

  flag(name: SharedFlag): number {
    return Atomics.load(this.flags, flagNames.indexOf(name));
  }

  /** Sets a flag and wakes whoever waits for it. */
  raise(name: SharedFlag, value = 1): void {
    const index = flagNames.indexOf(name);
    Atomics.store(this.flags, index, value);
    Atomics.notify(this.flags, index);
  }

  /** Blocks the calling thread until the flag is raised or the time is over; true when it was raised. */
  waitFor(name: SharedFlag, timeoutMs: number): boolean {
    const index = flagNames.indexOf(name);
    return Atomics.wait(this.flags, index, 0, timeoutMs) !== 'timed-out';
  }

  /** Waits without blocking; resolves when the flag changes from 0. */
  async changed(name: SharedFlag): Promise<void> {
    const waiting = Atomics.waitAsync(this.flags, flagNames.indexOf(name), 0);
    if (waiting.async) await waiting.value;
  }
}
