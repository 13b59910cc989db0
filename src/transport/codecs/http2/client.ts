import { Code } from '../../../core/base/codes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import type { ClientCodec, ClientOwner, CodecContext, CodecState } from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import { requestLength } from './body-length.ts';
import { ClientKeepalive } from './client-keepalive.ts';
import type { Http2Config } from './config.ts';
import {
  defaultWindowBytes,
  Flag,
  frameHeaderBytes,
  H2Error,
  maxStreamId,
  preface,
  Setting,
} from './constants.ts';
import { encodeRequest, headBound } from './encode-head.ts';
import { codeOfReset } from './error-codes.ts';
import { Http2Stream, keepEarly } from './http2-stream.ts';
import { ResponseReceiver } from './response-receiver.ts';
import { readState, stateOf } from './state.ts';

const nothing: Buffer = Buffer.alloc(0);

/** The upstream side of one HTTP/2 connection. */
export class Http2Client extends ResponseReceiver implements ClientCodec {
  served = 0;
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

  protected streamOf(s: Stream): Http2Stream | undefined {
    const each = this.streams.get(s.upId);
    return each !== undefined && each.s === s ? each : undefined;
  }

  protected isOwned(s: Stream): boolean {
    return s.requestOwned;
  }

  // ---- requests --------------------------------------------------------------------------------------------------

  /** Stream ids are given when the head is sent: they must go out in order (RFC 9113 §5.1.1). */
  bind(s: Stream): void {
    s.up = this;
    s.reused = this.served > 0;
    this.served++;
    this.#greet();
    this.lastId += this.lastId === 0 ? 1 : 2;
    s.upId = this.lastId;
    const window = this.settingsAcked ? this.config.streamWindowBytes : defaultWindowBytes;
    this.streams.set(s.upId, new Http2Stream(s.upId, s, this.peer.initialWindowBytes, window));
    if (this.lastId > maxStreamId - 4) this.#leave(Code.none);
    if (this.streams.size === 1) this.#keepalive.begin(this.wire.bytesRead);
  }

  /** The preface, once. */
  #greet(): void {
    if (this.settingsSent) return;
    this.out.reserve(preface.length);
    this.out.copy(preface, 0, preface.length);
    const values = this.commonSettings();
    values.push([Setting.enablePush, 0]);
    this.putSettings(values);
    this.context.wheel.arm(this, this.ackDueMs);
  }

  onConnect(): void {
    this.#greet();
    this.#owner.connected(this);
  }

  sendInformational(): void {}

  sendHead(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    const each = this.streamOf(s);
    if (each === undefined || each.headSent) return true;
    const isTunnel = head.upgrade !== '';
    if (isTunnel && head.upgrade !== 'connect' && !this.peer.extendedConnect) {
      return this.#waitForSettings(each, buf, a, b);
    }
    each.headSent = true;
    each.isHead = head.methodText === 'HEAD';
    each.awaitsTunnel = isTunnel;
    if (buf === null) b = a;
    const lengthBytes = requestLength(head, b - a, end);
    each.sendLeft = isTunnel ? -1 : lengthBytes;
    const isLast = end && a === b && !isTunnel && lengthBytes <= 0;
    this.out.reserve(frameHeaderBytes + headBound(head));
    const start = this.out.at;
    const isSecure = this.wire.kind === 'tls';
    const at = encodeRequest(
      this.encoder,
      head,
      this.out.buf,
      start + frameHeaderBytes,
      isSecure,
      lengthBytes,
    );
    this.finishHeaders(each.id, start, at, isLast ? Flag.endStream : 0);
    if (isLast) {
      each.localEnded = true;
      return true;
    }
    // The head of a tunnel is complete, its stream is not; a tunnel carries nothing before it is open.
    if (isTunnel) {
      if (b > a) keepEarly(each, buf as Buffer, a, b);
      return true;
    }
    return a === b && !end ? true : this.sendBody(each, buf ?? nothing, a, b, end, s.requestOwned);
  }

  /** Whether the upstream takes an extended CONNECT is known with its SETTINGS (RFC 8441 §3). */
  #waitForSettings(each: Http2Stream, buf: Buffer | null, a: number, b: number): boolean {
    each.awaitsSettings = true;
    if (buf !== null && b > a) keepEarly(each, buf, a, b);
    if (this.peer.isKnown) this.abandon(each, H2Error.none, Code.upgradeRefused);
    return true;
  }

  protected override settingsCame(hadRoom: boolean): void {
    for (const each of [...this.streams.values()]) {
      const s = each.s;
      if (!each.awaitsSettings || s === null) continue;
      each.awaitsSettings = false;
      // Streams that began since have used up the ids above the old one.
      this.streams.delete(each.id);
      each.id = s.upId = this.lastId += 2;
      this.streams.set(each.id, each);
      this.sendHead(s, s.req, null, 0, 0, true);
    }
    if (!hadRoom && this.room > 0) this.#owner.room(this);
  }

  override sendData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    const each = this.streamOf(s);
    if (each === undefined) return true;
    if (each.awaitsTunnel || each.awaitsSettings) {
      if (b > a) keepEarly(each, buf, a, b);
      if (end) each.earlyEnds = true;
      return false;
    }
    return super.sendData(s, buf, a, b, end);
  }

  protected tunnelOpened(each: Http2Stream, s: Stream): void {
    const { earlyEnds } = each;
    const early = each.early ?? [];
    each.early = null;
    let ok = true;
    early.forEach((bytes, i) => {
      const isLast = earlyEnds && i === early.length - 1;
      if (each.s === s) ok = super.sendData(s, bytes, 0, bytes.length, isLast);
    });
    if (earlyEnds && early.length === 0) super.sendData(s, nothing, 0, 0, true);
    else if (early.length > 0 && ok && each.s === s) this.context.sink.writable(s, this);
  }

  reset(s: Stream, code: number): void {
    const each = this.streamOf(s);
    if (each === undefined) return;
    this.forget(each);
    if (each.headSent)
      this.putReset(each.id, code === Code.upstreamProtocol ? H2Error.protocol : H2Error.cancel);
    else this.#skipped(each);
    this.finished();
  }

  /** An id whose head never left is as good as closed for the server once a higher one is used. */
  #skipped(each: Http2Stream): void {
    this.closedIds.add(each.id);
  }

  protected coreEnded(each: Http2Stream): void {
    if (each.isTunnel && each.remoteEnded) each.s = null;
  }

  protected localEnded(each: Http2Stream): void {
    if (!each.remoteEnded) return;
    this.forget(each);
    this.finished();
  }

  protected abandon(each: Http2Stream, error: number, code: number): void {
    const s = each.s;
    this.forget(each);
    if (each.headSent) this.putReset(each.id, error);
    else this.#skipped(each);
    this.finished();
    if (s !== null) this.context.sink.upstreamReset(s, code);
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
