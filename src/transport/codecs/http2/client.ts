import { Code } from '../../../core/base/codes.ts';
import type { ClientCodec, ClientOwner, CodecContext, CodecState } from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import { ClientKeepalive } from './client-keepalive.ts';
import type { Http2Config } from './config.ts';
import { H2Error, maxStreamId } from './constants.ts';
import { codeOfReset } from './error-codes.ts';
import type { Http2Stream } from './http2-stream.ts';
import { RequestSender } from './request-sender.ts';
import { readState, stateOf } from './state.ts';

const nothing: Buffer = Buffer.alloc(0);

/** The upstream side of one HTTP/2 connection. */
export class Http2Client extends RequestSender implements ClientCodec {
  readonly #owner: ClientOwner;
  #isGone = false;
  readonly #keepalive: ClientKeepalive;
  #isLingering = false;

  constructor(wire: Wire, context: CodecContext, owner: ClientOwner, config: Http2Config) {
    super(wire, context, config);
    this.#owner = owner;
    this.#keepalive = new ClientKeepalive(this, context, config);
    wire.attach(this);
  }

  get room(): number {
    if (this.isDraining || this.isClosing || this.#isGone) return 0;
    const most = Math.min(this.config.maxConcurrentStreams, this.peer.maxConcurrentStreams);
    return Math.max(0, most - this.streams.size);
  }

  protected override hasRoom(): boolean {
    return this.room > 0;
  }

  protected bound(): void {
    if (this.lastId > maxStreamId - 4) this.#leave(Code.none);
    if (this.streams.size === 1) this.#keepalive.begin(this.wire.bytesRead);
  }

  protected roomCame(): void {
    this.#owner.room(this);
  }

  onConnect(): void {
    this.greet();
    this.#owner.connected(this);
  }

  // ---- the end of streams and of the connection ------------------------------------------------------------------

  protected peerReset(each: Http2Stream, error: number): void {
    const s = each.s;
    // Content-Length says that the body is complete: only END_STREAM is missing (node:http2 does so when a window is used up).
    if (error === H2Error.none && each.headSeen && each.recvLeft === 0 && s !== null && !each.isTunnel) {
      each.localEnded = true;
      this.passData(each, nothing, 0, 0, true);
      return;
    }
    this.forget(each);
    this.finished();
    if (s !== null) this.context.sink.upstreamReset(s, codeOfReset(error));
  }

  protected notifyReset(s: Stream, code: number): void {
    this.context.sink.upstreamReset(s, code);
  }

  protected finished(): void {
    if (this.isClosing) return;
    if (!this.isDraining) this.#owner.room(this);
    if (this.isDraining && this.streams.size === 0) this.dirty();
  }

  protected flushed(): void {
    if (this.isDraining && this.streams.size === 0 && !this.isClosing) {
      this.isClosing = true;
      if (this.settingsSent) this.putGoAway(0, H2Error.none, '');
      this.out.send();
      this.out.release();
      this.isEnding = true;
    }
    if (!this.isEnding) return;
    this.#leave(Code.none);
    this.wire.end();
    if (this.#isLingering) return;
    this.#isLingering = true;
    this.context.wheel.arm(this, this.context.clock.now() + this.config.lingerMs);
  }

  protected report(): void {}

  /** The server opens no streams. */
  protected lastPeerId(): number {
    return 0;
  }

  protected lostAll(code: number): void {
    this.#leave(code);
  }

  /** Takes no more streams; the pool is told once. */
  #leave(code: number): void {
    this.isDraining = true;
    if (this.#isGone) return;
    this.#isGone = true;
    this.#owner.gone(this, code);
  }

  /** RFC 9113 §6.8: streams above `lastId` were not and will not be processed. */
  protected goAwayCame(lastId: number): void {
    const refused = [...this.streams.values()].filter((each) => each.id > lastId);
    const told = refused.map((each) => each.s);
    for (const each of refused) this.forget(each);
    this.#leave(Code.draining);
    for (const s of told) if (s !== null) this.context.sink.upstreamReset(s, Code.upstreamRefused);
    if (this.streams.size === 0) this.dirty();
  }

  drain(): void {
    this.isDraining = true;
    if (this.streams.size === 0) this.dirty();
  }

  onEnd(): void {
    this.#leave(Code.upstreamClosed);
    this.isClosing = true;
    this.resetAll(Code.upstreamClosed);
    this.wire.destroy(Code.upstreamClosed);
  }

  onClose(code: number): void {
    const reason = code === Code.none ? Code.upstreamClosed : code;
    this.isClosed = this.isClosing = true;
    this.context.wheel.disarm(this);
    this.reader.clear();
    this.#leave(reason);
    this.resetAll(reason);
    this.out.drop();
  }

  // ---- keep-alive ------------------------------------------------------------------------------------------------

  /** The codec has no `heartbeat` for the pool: the connection looks after itself. */
  ping(): void {
    this.sendPing();
    this.#keepalive.arm(this.context.clock.now(), this.active, this.ackDueMs);
  }

  protected ponged(): void {}

  onDeadline(nowMs: number): void {
    const isDue = this.ackDueMs > 0 && nowMs >= this.ackDueMs && !this.wire.isConnecting;
    if (this.#isLingering) this.wire.destroy(Code.locallyClosed);
    else if (isDue && this.isPingOut) this.#lost();
    else if (isDue) this.fail(H2Error.settingsTimeout, 'no acknowledgement of SETTINGS');
    else {
      if (this.active === 0) this.dropCaches();
      else if (this.#keepalive.wantsPing(nowMs, this.wire.bytesRead)) this.sendPing();
      this.#keepalive.arm(nowMs, this.active, this.ackDueMs);
    }
  }

  /** Nobody is there any more. */
  #lost(): void {
    this.isClosing = true;
    this.resetAll(Code.heartbeatLost);
    this.wire.destroy(Code.heartbeatLost);
  }

  // ---- moving ----------------------------------------------------------------------------------------------------

  exportState(): CodecState | null {
    if (!this.isIdle() || this.isDraining || this.isPingOut || this.wire.isConnecting) return null;
    return stateOf(this.reader, { ...this.exportCommon(), served: this.served });
  }

  importState(state: CodecState): void {
    const data = readState<ReturnType<Http2Client['exportCommon']> & { served: number }>(state);
    this.importCommon(data);
    this.served = data.served;
    const unread = Buffer.from(state.unread);
    if (unread.length > 0) this.onBytes(unread, 0, unread.length);
  }
}
