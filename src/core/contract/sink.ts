/**
 * A sink takes finished captures somewhere: a directory, an HTTP endpoint, a command, a function.
 * Sinks run behind a bounded queue in the monitor's thread; a slow or failing one loses captures with a count
 * and never holds up the monitor.
 */
export interface CaptureFile {
  readonly name: string;
  /** Absolute; mode 0600. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Profile kind (`cpu`, `heap`, ...), or `verdict` for the two pages. */
  readonly kind: string;
  readonly format: 'pprof' | 'cpuprofile' | 'heapprofile' | 'heapsnapshot' | 'json' | 'markdown' | 'text';
  /** As in node:worker_threads; 0 is the main thread, -1 all threads together. */
  readonly threadId: number;
  readonly window: 'before' | 'during' | 'quiet' | 'none';
}

/** What made the monitor capture; `rule` is `manual` for one that was asked for. */
export interface CaptureTrigger {
  readonly rule: string;
  readonly signal: string;
  /** The reason in words, e.g. `curVal > ruleAbs`. */
  readonly reason: string;
  readonly current: number;
  readonly average: number;
  /** The settings of the rule when it fired. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The ring of the signal, oldest first. */
  readonly previous: readonly number[];
  readonly atMs: number;
}

/** One finished capture: what the JSON page holds and every sink receives. Plain data. */
export interface Capture {
  readonly schema: 1;
  readonly id: string;
  /** Groups captures that belong together (two heap dumps of one growth). */
  readonly eventId: string;
  readonly service: string;
  readonly pid: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly trigger: CaptureTrigger;
  readonly files: readonly CaptureFile[];
  /** The verdict; its shape is `Verdict` of the diagnostics module. */
  readonly verdict: unknown;
}

export interface Sink {
  /** kebab-case; shown in counters and messages. */
  readonly name: string;
  /** Rejects when the capture could not be delivered; the monitor counts and logs it. */
  deliver(capture: Capture, signal: AbortSignal): Promise<void>;
  dispose?(): Promise<void> | void;
}
