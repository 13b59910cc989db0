/**
 * A profile kind knows how to take one sort of evidence from a thread of the application.
 *
 *   monitor (worker thread) --ProfileRequest--> ProfileKind.capture(target) --ProfileArtifact[]--> store, verdict, sinks
 */

/** A session of the Chrome DevTools Protocol with one thread; works while that thread is blocked. */
export interface InspectorSession {
  post<Result = unknown>(method: string, params?: object): Promise<Result>;
  /** Listens to one protocol event; returns the function that stops listening. */
  on(event: string, listener: (params: unknown) => void): () => void;
}

/** The thread that a profile is taken of. */
export interface ProfileTarget {
  readonly pid: number;
  /** 0 is the main thread. */
  readonly threadId: number;
  readonly threadName: string;
  readonly session: InspectorSession;
}

export interface ProfileRequest {
  /** How long to sample, for kinds that sample over time. */
  readonly durationMs: number;
  /** Permits evidence that stops the application for seconds (heap snapshots). @default false */
  readonly deep?: boolean;
  /** Refuses a deep kind above this used heap. @default 67108864 */
  readonly maxHeapBytes?: number;
  readonly signal?: AbortSignal;
}

/** How the bytes of an artifact are read: `raw:*` is what V8 gave and is encoded off the loop, the rest is a file as it is. */
export type ArtifactFormat =
  | 'cpuprofile'
  | 'heapprofile'
  /** A heap profile and the ordinal after which its samples count. */
  | 'heap-growth'
  | 'profile-model'
  | 'pprof'
  | 'heapsnapshot'
  | 'report'
  | 'gc-trace'
  | 'json'
  | 'text';

/** One piece of evidence. `data` is plain data (JSON-safe); a heap snapshot is a path to a 0600 file, `pprof` is base64. */
export interface ProfileArtifact {
  readonly kind: string;
  readonly threadId: number;
  readonly threadName?: string;
  readonly format: ArtifactFormat;
  readonly startMs: number;
  readonly durationMs: number;
  readonly data: unknown;
  /** `before` holds the time that led to the trigger (flight recorder), `quiet` a calm window for comparison. */
  readonly window: 'before' | 'during' | 'quiet';
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * @example
 * const heapStatistics: ProfileKind = {
 *   name: 'heap-statistics', description: 'V8 heap spaces', deep: false,
 *   capture: async ({ session, threadId }) => [...],
 * };
 */
export interface ProfileKind {
  /** kebab-case, unique. */
  readonly name: string;
  readonly description: string;
  /** True where the application stands still for long; such a kind runs only when asked for by name with `deep`. */
  readonly deep: boolean;
  capture(target: ProfileTarget, request: ProfileRequest): Promise<readonly ProfileArtifact[]>;
}
