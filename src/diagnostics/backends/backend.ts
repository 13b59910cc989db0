import type { Profile } from '../profile-model.ts';

export interface CpuSampling {
  readonly durationMs: number;
  /** Samples a second. @default 99 */
  readonly hertz?: number;
  /** `wall` keeps the time in which the loop waited. @default 'cpu' */
  readonly kind?: 'cpu' | 'wall';
}

/**
 * A sampler of the thread that it is called on.
 *
 * | name      | package         | brings                                  | does not work          |
 * |-----------|-----------------|-----------------------------------------|------------------------|
 * | inspector | none            | always there, every thread              | no object counts       |
 * | datadog   | @datadog/pprof  | prebuilt; exact object counts, CPU time | no musl before 5.3     |
 * | pprof     | pprof           | the package of that name                | in worker threads; without a build for this Node |
 */
export interface ProfilerBackend {
  readonly name: BackendName;
  /** Samples for the given time. */
  cpu(sampling: CpuSampling): Promise<Profile>;
  /** Begins heap sampling: one stack for so many bytes allocated. @default 524288 */
  startHeap(intervalBytes?: number): Promise<void>;
  /** What is in use now, by the stack that allocated it. Heap sampling must have begun. */
  heap(): Promise<Profile>;
  stopHeap(): Promise<void>;
}

/**
 * A package with a native sampler. All of it is synchronous, so that the monitor can call it on a thread that stands
 * still in a loop. Profiles are pprof files: another copy of the format library has made them.
 */
export interface NativeSampler {
  readonly name: 'datadog' | 'pprof';
  startCpu(sampling: { readonly hertz: number; readonly kind: 'cpu' | 'wall' }): void;
  stopCpu(): Uint8Array;
  startHeap(intervalBytes: number): void;
  heap(): Uint8Array;
  stopHeap(): void;
}

export type BackendName = 'inspector' | 'datadog' | 'pprof';
/** `auto` is `datadog` where it is installed and loads, else the inspector. */
export type BackendChoice = BackendName | 'auto';
