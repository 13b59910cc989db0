/** Whatever is stateful: continues in another process after `restoreState(dumpState())`. */
export interface Stateful<State> {
  dumpState(): State;
  /** @throws HeddleError when the version is unknown; the object is unchanged then. */
  restoreState(state: State): void;
}

/** What `/health` shows of one part. */
export interface Health {
  readonly status: 'ok' | 'degraded' | 'failed';
  /** Why it is not ok, one sentence; "" when ok. */
  readonly reason: string;
  /** Wall-clock ms since when. */
  readonly sinceMs: number;
}

export interface HasHealth {
  health(): Health;
}

/** One page of the admin server: `GET /<path>` shows it, `POST /<path>` (token) changes something. */
export interface AdminSection {
  readonly path: string;
  readonly summary: string;
  /** Reads need the token as writes do, where others than this machine can reach the endpoint. */
  readonly isPrivate?: true;
  read?(query: URLSearchParams): AdminAnswer | Promise<AdminAnswer>;
  /** @param signal aborts when the caller has gone: an answer that waits need not be given */
  write?(
    query: URLSearchParams,
    body: string,
    signal?: AbortSignal | null,
  ): AdminAnswer | Promise<AdminAnswer>;
}

export interface AdminAnswer {
  readonly status?: number;
  /** A string and bytes are sent as they are, anything else as JSON. */
  readonly body: unknown;
  readonly contentType?: string;
}
