import { Code } from '../../core/base/codes.ts';
import { WheelNode } from '../../core/base/timer-wheel.ts';
import type { ClientCodec, Codec, CodecContext } from '../../core/contract/codec.ts';

type Heartbeat = NonNullable<Codec['heartbeat']>;

/** A mesh peer that closes late or never is asked all the same. */
const longestIntervalMs = 600_000;
/** A close after less silence than this has another reason than silence. */
const leastIdleMs = 1000;
/** Beats of connections that were opened together spread over this share of the interval. */
const spread = 0.1;
const golden = 0.618_033_988_749_895;

/**
 * Heartbeats of one pool: per connection, after a silence that grows while all is well.
 *
 *   silent for the interval --> ping --an answer--> interval doubles, at most to what the peer allows
 *                                |
 *                                '--none in time--> interval back to the first; ping again; the third miss closes
 *
 * Traffic is a sign of life: the interval counts from the last bytes received, and a busy connection is never asked.
 * A peer that closes on silence earlier than it is known to teaches the pool its limit.
 */
export class Keepalive {
  readonly context: CodecContext;
  readonly heartbeat: Heartbeat;
  readonly #beats = new Map<ClientCodec, Beat>();
  /** After how much silence this peer closed a connection; 0: it has not. */
  #learnedLimitMs = 0;
  #count = 0;

  constructor(context: CodecContext, heartbeat: Heartbeat) {
    this.context = context;
    this.heartbeat = heartbeat;
  }

  /** A connection was dialled. */
  watch(codec: ClientCodec): void {
    const beat = new Beat(this, codec, (this.#count++ * golden) % 1);
    this.#beats.set(codec, beat);
    beat.begin();
  }

  /** It takes no more streams. @param code why, where it is gone */
  unwatch(codec: ClientCodec, code: number): void {
    const beat = this.#beats.get(codec);
    if (beat === undefined) return;
    this.#beats.delete(codec);
    this.context.wheel.disarm(beat);
    const isClosedByPeer = code === Code.upstreamClosed || code === Code.upstreamReset;
    if (isClosedByPeer && codec.active === 0 && codec.diedBusy !== true) this.#learn(beat.silentMs);
  }

  stop(): void {
    for (const beat of this.#beats.values()) this.context.wheel.disarm(beat);
    this.#beats.clear();
  }

  /** The longest interval that `codec`'s peer allows. */
  longestFor(codec: ClientCodec): number {
    const { intervalMs, maxIntervalMs, peerIdleLimitMs } = this.heartbeat;
    if (maxIntervalMs === undefined) return intervalMs;
    const announcedMs = codec.peerIdleLimitMs ?? 0;
    if (announcedMs > 0) return Math.min(longestIntervalMs, this.#below(announcedMs));
    const limitMs = this.#learnedLimitMs > 0 ? this.#learnedLimitMs : (peerIdleLimitMs ?? 0);
    return limitMs === 0 ? maxIntervalMs : Math.min(maxIntervalMs, this.#below(limitMs));
  }

  /** The first interval less than the limit; of a limit shorter than two of them two thirds. */
  #below(limitMs: number): number {
    const { intervalMs } = this.heartbeat;
    return limitMs >= 2 * intervalMs ? limitMs - intervalMs : (limitMs * 2) / 3;
  }

  #learn(silentMs: number): void {
    const { peerIdleLimitMs, maxIntervalMs } = this.heartbeat;
    if (maxIntervalMs === undefined || silentMs < leastIdleMs) return;
    const knownMs = this.#learnedLimitMs > 0 ? this.#learnedLimitMs : (peerIdleLimitMs ?? maxIntervalMs);
    if (silentMs < knownMs) this.#learnedLimitMs = silentMs;
  }
}

/** The heartbeat of one connection. */
class Beat extends WheelNode {
  readonly #keepalive: Keepalive;
  readonly #codec: ClientCodec;
  readonly #share: number;
  #intervalMs: number;
  #missed = 0;
  /** When it was asked, 0: nothing is awaited. */
  #askedMs = 0;
  /** Of codecs that do not say when they last read. */
  #bytesSeen = 0;
  #seenMs: number;

  constructor(keepalive: Keepalive, codec: ClientCodec, share: number) {
    super();
    this.#keepalive = keepalive;
    this.#codec = codec;
    this.#share = share;
    this.#intervalMs = keepalive.heartbeat.intervalMs;
    this.#seenMs = keepalive.context.clock.now();
  }

  get silentMs(): number {
    return this.#keepalive.context.clock.now() - this.#lastReadMs();
  }

  begin(): void {
    this.#armAt(this.#keepalive.context.clock.now() + this.#intervalMs);
  }

  onDeadline(nowMs: number): void {
    if (this.#codec.wire.isConnecting) this.#armAt(nowMs + this.#intervalMs);
    else if (this.#askedMs > 0) this.#lookForAnswer(nowMs);
    else this.#lookForTraffic(nowMs);
  }

  #lookForTraffic(nowMs: number): void {
    const dueMs = this.#lastReadMs() + this.#intervalMs;
    if (dueMs > nowMs + this.#keepalive.context.wheel.tickMs) {
      this.#grow();
      this.#armAt(dueMs);
    } else this.#ask(nowMs);
  }

  #lookForAnswer(nowMs: number): void {
    const { maxMissed, intervalMs } = this.#keepalive.heartbeat;
    const readMs = this.#lastReadMs();
    if (readMs >= this.#askedMs) {
      this.#askedMs = 0;
      this.#missed = 0;
      this.#grow();
      this.#armAt(readMs + this.#intervalMs);
      return;
    }
    this.#intervalMs = intervalMs;
    if (++this.#missed >= maxMissed) this.#codec.wire.destroy(Code.heartbeatLost);
    else this.#ask(nowMs);
  }

  #ask(nowMs: number): void {
    this.#askedMs = nowMs;
    this.#codec.ping();
    this.#armAt(nowMs + this.#keepalive.heartbeat.timeoutMs);
  }

  /** All is well: the next silence may last twice as long. Always a little below the limit, each connection by another share. */
  #grow(): void {
    const longestMs = this.#keepalive.longestFor(this.#codec);
    const { maxIntervalMs } = this.#keepalive.heartbeat;
    const share = maxIntervalMs === undefined ? 0 : this.#share * spread;
    this.#intervalMs = Math.min(this.#intervalMs * 2, longestMs * (1 - share));
  }

  #lastReadMs(): number {
    const known = this.#codec.lastReadMs;
    if (known !== undefined) return known;
    const { bytesRead } = this.#codec.wire;
    if (bytesRead !== this.#bytesSeen) {
      this.#bytesSeen = bytesRead;
      this.#seenMs = this.#keepalive.context.clock.now();
    }
    return this.#seenMs;
  }

  #armAt(atMs: number): void {
    this.#keepalive.context.wheel.arm(this, atMs);
  }
}
