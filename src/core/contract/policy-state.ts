import type { Route } from './route.ts';

/**
 * What a stream keeps for policies of its route that few streams use; made on first use, so that all others pay for one
 * null.
 */
export class PolicyState {
  /** Cookies that hash policies made; the answer gets each `field` as `set-cookie`. */
  cookies: { readonly name: string; readonly value: string; readonly field: string }[] | null = null;
  /** The URL that the client asked for, once a redirect may be followed. */
  originalUrl = '';
  /** The authority that this hop was asked for, before the route rewrote it. */
  authority = '';
  /** Redirects followed so far. */
  redirects = 0;
  /** Tries that were sent before the last redirect; a retry policy does not count them. */
  triesBefore = 0;
  /** The request as it is collected for its copies. */
  mirror: MirrorFeed | null = null;
  hedge: HedgeRace | null = null;
  /** Of a stream of the mesh's own, a mirror or a hedge: what it goes by. */
  route: Route | null = null;
}

/** Takes a request as it goes upstream, to send it elsewhere too once it is complete. */
export interface MirrorFeed {
  /** Another try begins: what it sends again is passed over. */
  restart(): void;
  /** Body bytes that go upstream, borrowed unless `isOwned`; `end` completes the request. */
  feed(buf: Buffer | null, a: number, b: number, isOwned: boolean, end: boolean): void;
}

/** Tries of one stream that go on beside its own. */
export interface HedgeRace {
  /** A try of the stream's own begins. */
  begin(): void;
  /** The limit of the stream's own try ran out. True: another try has joined it, and it goes on. */
  join(nowMs: number): boolean;
  /** The stream's own try is answered, with `end` completely. True: the answer is bad, it was dropped, and others may do better. */
  outlivesAnswer(end: boolean): boolean;
  /** The stream's own try has failed. True: others may still answer. */
  outlivesFailure(): boolean;
  /** The stream is answered or over: nobody waits for the others. */
  cancel(): void;
}
