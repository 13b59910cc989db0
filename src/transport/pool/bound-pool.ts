import { Code } from '../../core/base/codes.ts';
import type { ClientCodec, ServerCodec, ServerConnection } from '../../core/contract/codec.ts';
import type { Stream } from '../../core/contract/stream.ts';
import type { StreamEnd } from '../../core/contract/stream-end.ts';
import { ConnectionPool } from './connection-pool.ts';
import type { PoolSetup } from './setup.ts';

/**
 * One upstream connection per downstream connection, for life (protocols with a session: logins, transactions).
 * Whichever goes takes the other along: a silent new connection would have lost the session.
 */
export class BoundPool extends ConnectionPool {
  readonly #byDown = new Map<StreamEnd | ServerConnection, ClientCodec>();
  readonly #downOf = new Map<ClientCodec, StreamEnd>();

  constructor(setup: PoolSetup) {
    // Nothing to connect ahead of: a connection belongs to its downstream from the start.
    super({ ...setup, options: { ...setup.options, preconnect: 0 } });
  }

  override unbind(down: StreamEnd | ServerConnection): void {
    const codec = this.#byDown.get(down);
    if (codec === undefined) return;
    this.#unlink(codec);
    codec.wire.destroy(Code.downstreamClosed);
  }

  protected select(s: Stream): ClientCodec | null {
    const codec = isServerCodec(s.down) ? this.#byDown.get(s.down) : undefined;
    return codec === undefined || codec.room === 0 ? null : codec;
  }

  /** A second stream of a downstream waits for its own connection and gets no other. */
  protected override mayDialFor(s: Stream): boolean {
    return !isServerCodec(s.down) || !this.#byDown.has(s.down);
  }

  protected override dialledFor(codec: ClientCodec, s: Stream): void {
    if (!isServerCodec(s.down)) return;
    this.#byDown.set(s.down, codec);
    this.#downOf.set(codec, s.down);
  }

  protected freed(codec: ClientCodec): void {
    // Without a downstream connection (an in-process call) there is no session to keep.
    if (!this.#downOf.has(codec)) this.evictOne(codec);
  }

  protected forget(codec: ClientCodec): void {
    const down = this.#unlink(codec);
    if (down !== undefined && isServerCodec(down)) down.drain();
  }

  /** The downstream connection decides when it ends; its own idle limit does. */
  protected evict(): void {}

  #unlink(codec: ClientCodec): StreamEnd | undefined {
    const down = this.#downOf.get(codec);
    if (down !== undefined) this.#byDown.delete(down);
    this.#downOf.delete(codec);
    return down;
  }
}

/** An in-process caller is a new end for each call and has no connection to be bound to. */
function isServerCodec(end: StreamEnd | null): end is ServerCodec {
  return end !== null && 'drain' in end && 'wire' in end;
}
