/**
 * The one intermediate form of every profile: plain data, structured-clone and JSON safe. Captures and adapters
 * produce it, encoders (pprof, folded, OTLP), the diff and the verdict read it.
 *
 *   samples[i].node --> nodes (a tree by parent index) --frame--> frames
 */
export interface SampleType {
  /** pprof's word: `samples`, `cpu`, `wall`, `inuse_objects`, `inuse_space`, `alloc_space`, `async_resources`, `coroutines`. */
  readonly type: string;
  /** pprof's unit: `count`, `nanoseconds`, `bytes`. */
  readonly unit: string;
}

export interface ProfileFrame {
  /** `(anonymous)` where there is no name; V8's own in brackets: `(garbage collector)`, `(program)`. */
  readonly name: string;
  /** File URL, absolute path, `node:...`, or empty. */
  readonly url: string;
  /** Of the function's first line, 1-based; 0 is unknown. */
  readonly line: number;
  /** 1-based; 0 is unknown. */
  readonly column: number;
}

/** Node 0 is the root: parent -1, frame -1. A parent always has a smaller index than its children. */
export interface ProfileTree {
  readonly parents: readonly number[];
  /** Index into `frames`. */
  readonly frames: readonly number[];
  /** Executing line, 1-based, where it is known; empty or as long as `parents`. */
  readonly lines: readonly number[];
}

export interface ProfileSample {
  /** The leaf. */
  readonly node: number;
  /** One number per sample type, in that order. */
  readonly values: readonly number[];
  /** Numbers become pprof num labels. */
  readonly labels?: Readonly<Record<string, string | number>>;
}

export interface Profile {
  /** `cpu`, `wall`, `heap`, `allocations`, `pending`, `coroutines`, `stall`, `streams`. */
  readonly kind: string;
  readonly sampleTypes: readonly SampleType[];
  /** Index into `sampleTypes` of what a viewer shows first. */
  readonly defaultSampleType: number;
  /** Distance between samples; 0 is unknown. */
  readonly period: number;
  readonly periodType: SampleType;
  /** Milliseconds since the epoch. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly frames: readonly ProfileFrame[];
  readonly tree: ProfileTree;
  readonly samples: readonly ProfileSample[];
  /** Labels of every sample: route, service, trigger, thread. */
  readonly labels: Readonly<Record<string, string>>;
  readonly comments: readonly string[];
}
