import type { HeadView } from '../base/head-view.ts';

/**
 * What a stream keeps for policies of its route that few streams use; made on first use, so that all others pay for one
 * null.
 */
export class PolicyState {
  /** `set-cookie` values that the answer gets, for cookies that a hash policy made. */
  cookies: { readonly name: string; readonly value: string; readonly field: string }[] | null = null;
  /** The URL that the client asked for, while redirects may be followed; "" when they may not. */
  originalUrl = '';
  /** Redirects followed so far. */
  redirects = 0;
  /** The request as it is collected for its copies. */
  mirror: MirrorFeed | null = null;
  hedge: HedgeRace | null = null;
}

/** Takes a request as it goes upstream, to send it elsewhere too once it is complete. */
export interface MirrorFeed {
  /** Another try begins: what it sends again is passed over. */
  restart(): void;
  /** What is sent upstream; `end` completes the request. */
  feed(head: HeadView, isOwned: boolean, buf: Buffer | null, a: number, b: number, end: boolean): void;
}

/** The tries of one stream that are under way beside its own. */
export interface HedgeRace {
  /** Tries beside the stream's own that may still answer. */
  readonly outstanding: number;
  /** The stream is over or answered: nobody waits for the others. */
  cancel(): void;
}
