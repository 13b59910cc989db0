import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { CallMessage, ChannelCallKind, FollowedCall, Traced } from './call-kinds.ts';
import { sharedNow } from './heartbeat.ts';

/** Calls followed at once; a stranger can open more, those are left out. */
export const maxFollowed = 100_000;
/** Up to here every beat drops what has ended; more are dropped once per tick. */
const quickScanSize = 1000;

/**
 * Follows the calls of one sort from their start, which a diagnostics channel tells, until they are over. Being told
 * of a start costs 0.3 us; ends are not listened to but found ten times a second.
 */
export class CallFollower {
  readonly kind: ChannelCallKind;
  readonly calls = new Map<Traced, FollowedCall>();
  readonly #listener = (message: unknown): void => this.#started(message as CallMessage);

  constructor(kind: ChannelCallKind) {
    this.kind = kind;
    subscribe(kind.channel, this.#listener);
  }

  /** Ten times a second. */
  beat(): void {
    if (this.calls.size <= quickScanSize) this.look();
  }

  /** Drops what has ended. */
  look(): void {
    for (const key of this.calls.keys()) if (this.kind.isOver(key)) this.calls.delete(key);
  }

  stop(): void {
    unsubscribe(this.kind.channel, this.#listener);
    this.calls.clear();
  }

  #started(message: CallMessage): void {
    const key = this.kind.key(message);
    const request = this.kind.request(message);
    if (this.calls.size < maxFollowed && key !== undefined && request !== undefined)
      this.calls.set(key, { startMs: sharedNow(), request });
  }
}
