/** Time, injected: core code reads no other clock. The system clock lives in src/transport, a fake one in src/testing. */
export interface Clock {
  /** Monotonic milliseconds with a fraction; only differences mean something. */
  now(): number;
  /** `now` stands still until `release`: for one synchronous piece of work. Optional; calls do not nest. */
  hold?(): void;
  release?(): void;
  /** Milliseconds since the epoch; may jump. */
  wallNow(): number;
  /** Calls `run` once after `delayMs`. The timer never keeps the process alive. */
  setTimer(delayMs: number, run: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}
