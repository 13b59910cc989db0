/** One message on its way through a filter of the pool, as plain data. */
export interface PooledMessage {
  /** Requests only. */
  readonly method?: string;
  readonly path?: string;
  readonly authority?: string;
  /** Answers only. */
  readonly status?: number;
  /** Names in lower case; repeated fields are joined with ", ". */
  readonly headers: Readonly<Record<string, string>>;
  /** All of it. */
  readonly body: Uint8Array;
}

/** What a filter of the pool wants changed; nothing: the message goes on as it came. */
export interface PooledAnswer {
  /** Set where it is a text, removed where it is null. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** In place of the body that came. */
  readonly body?: Uint8Array | string;
  /** Answers the request, or replaces the answer; the rest is left alone then. */
  readonly reply?: {
    readonly status: number;
    readonly body?: string;
    readonly headers?: Readonly<Record<string, string>>;
  };
}

/** What one call of a hook may come to: at once, or later, within the time bound. */
type PooledResult = PooledAnswer | null | undefined | Promise<PooledAnswer | null | undefined>;

/**
 * The default export of the module of a pooled filter. It runs in a thread of its own, without the mesh; whatever it
 * keeps stays in that thread, and is gone when the thread is ended.
 */
export interface PooledFilterModule<Config = unknown> {
  request?(message: PooledMessage, config: Config): PooledResult;
  response?(message: PooledMessage, config: Config): PooledResult;
}

export type PooledHook = 'request' | 'response';

/** What a thread of the pool is given. */
export interface FilterJob {
  readonly module: string;
  readonly hook: PooledHook;
  readonly message: PooledMessage;
  readonly config: unknown;
  /** A longer body is not sent back. */
  readonly maxBodyBytes: number;
}
