import type { CaptureTrigger } from '../../core/contract/sink.ts';

/** One line of "what moved": a signal at the trigger against its average before. */
export interface Moved {
  readonly signal: string;
  readonly unit: string;
  /** Average of the samples before. */
  readonly from: number;
  /** At the trigger: of the newest samples the one farthest from the average. */
  readonly to: number;
  /** When the signal left the range of its average for good, milliseconds since the epoch. */
  readonly sinceMs: number;
  /** How much time the average covers. */
  readonly overMs: number;
}

/** A function and what it accounts for. */
export interface TopFrame {
  readonly name: string;
  /** `/path/file.ts:12`; empty for V8's own. */
  readonly place: string;
  readonly value: number;
  /** 0 to 1 of the whole profile. */
  readonly share: number;
}

export interface TopStack {
  /** Leaf first, at most 12 frames: `name (file:line)`. */
  readonly frames: readonly string[];
  readonly value: number;
  readonly share: number;
}

export interface ProfileSummary {
  readonly kind: string;
  /** -1 is all threads together. */
  readonly threadId: number;
  /** `main`, `worker 3 (name)`, `all threads`. */
  readonly threadName: string;
  readonly window: 'before' | 'during' | 'quiet';
  readonly valueType: string;
  readonly unit: string;
  readonly total: number;
  /** By the nearest function of the application: builtins and Node's own count for who called them. */
  readonly functions: readonly TopFrame[];
  readonly stacks: readonly TopStack[];
  /** Share of the collector, 0 to 1; CPU profiles only. */
  readonly collectorShare: number;
  /** The profile itself charges the first function's bytes to this one, into which V8 has inlined it. */
  readonly inlinedInto?: TopFrame;
}

/** A function whose share changed against the last quiet window. */
export interface Changed {
  readonly name: string;
  readonly place: string;
  readonly from: number;
  readonly to: number;
}

export interface Waiting {
  readonly what: string;
  readonly count: number;
  readonly typicalMs: number;
}

export type CauseName =
  | 'sync-work'
  | 'json'
  | 'regular-expression'
  | 'system-call'
  | 'native-call'
  | 'busy-loop'
  | 'cpu-use'
  | 'gc-thrash'
  | 'promise-leak'
  | 'timer-leak'
  | 'socket-leak'
  | 'descriptor-leak'
  | 'heap-leak'
  | 'buffer-leak'
  | 'slow-readers'
  | 'slow-upstream'
  | 'lock-contention'
  | 'cpu-throttled'
  | 'memory-limit'
  | 'requested'
  | 'not-known';

export interface Cause {
  readonly name: CauseName;
  /** One or two sentences in plain words. */
  readonly text: string;
  readonly confidence: 'high' | 'medium' | 'none';
  /** The function to look at first. */
  readonly guilty: TopFrame | undefined;
  readonly evidence: readonly string[];
  /** What to do next. */
  readonly advice: string;
}

/** The page beside each capture: what moved, where the time or memory went, and why. */
export interface Verdict {
  readonly schema: 1;
  readonly title: string;
  readonly cause: Cause;
  readonly trigger: CaptureTrigger;
  readonly moved: readonly Moved[];
  readonly profiles: readonly ProfileSummary[];
  readonly changed: readonly Changed[];
  readonly pending: readonly TopFrame[];
  readonly waiting: readonly Waiting[];
  /** What could not be had, and why. */
  readonly missing: readonly string[];
}
