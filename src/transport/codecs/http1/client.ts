import { Code } from '../../../core/base/codes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import type { ClientCodec, ClientOwner, CodecContext, CodecState } from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import type { Http1Config } from './config.ts';
import { Framing, isConnect } from './encode.ts';
import { requestFraming, requestLength } from './framing.ts';
import { MessageWriter } from './message-writer.ts';
import { Read, ResponseReader } from './response-reader.ts';
import { exportConnection, readState } from './state.ts';

const nothing: Buffer = Buffer.alloc(0);

/** The upstream side of one HTTP/1.1 connection: one stream at a time. The states stand at `ResponseReader`. */
export class Http1Client extends ResponseReader implements ClientCodec {
  active = 0;
  room = 1;
  served = 0;
  readonly #owner: ClientOwner;
  readonly #writer: MessageWriter;
  #requestSent = false;
  #isPaused = false;
  #isDraining = false;
  #peerEnded = false;
  #isGone = false;
  /** Bytes for a tunnel that is not open yet. */
  #early: Buffer[] | null = null;
  #earlyEnd = false;

  constructor(wire: Wire, context: CodecContext, owner: ClientOwner, config: Http1Config) {
    super(wire, context, config);
    this.#owner = owner;
    this.#writer = new MessageWriter(wire, context.writes);
    wire.attach(this);
  }

  // ---- requests --------------------------------------------------------------------------------------------------

  bind(s: Stream): void {
    s.up = this;
    s.reused = this.served > 0;
    this.stream = s;
    this.gen = s.gen;
    this.expectAnswer();
    this.headSent = this.#requestSent = this.#earlyEnd = false;
    this.served++;
    this.active = 1;
    this.room = 0;
  }

  sendInformational(): void {}

  sendHead(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    if (s !== this.stream || this.headSent) return true;
    this.headSent = true;
    this.#requestSent = end;
    this.isHead = head.methodText === 'HEAD';
    this.mayTunnel = isConnect(head);
    this.mayUpgrade = head.upgrade !== '' && !this.mayTunnel;
    const lengthBytes = requestLength(head, b - a, end);
    const framing = requestFraming(head, lengthBytes, end);
    // A tunnel carries nothing before it is open.
    const isRaw = framing === Framing.raw;
    if (isRaw && buf !== null && b > a) this.#keepEarly(buf, a, b);
    return this.#writer.request(
      head,
      framing,
      lengthBytes,
      isRaw ? null : buf,
      a,
      isRaw ? a : b,
      end,
      s.requestOwned,
    );
  }

  sendData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    if (s !== this.stream) return true;
    if (this.read === Read.head && this.#writer.framing === Framing.raw) {
      if (b > a) this.#keepEarly(buf, a, b);
      if (end) this.#earlyEnd = true;
      return false;
    }
    const ok = this.#writer.data(buf, a, b, end, s.requestOwned);
    if (end) this.#requestEnds();
    return ok;
  }

  sendTrailers(s: Stream, trailers: HeadView): void {
    if (s !== this.stream) return;
    this.#writer.trailers(trailers);
    this.#requestEnds();
  }

  reset(s: Stream, code: number): void {
    if (s !== this.stream) return;
    if (!this.headSent && !this.#isDraining && this.read === Read.head) {
      this.release(true);
      return;
    }
    this.release(false);
    this.wire.destroy(code);
  }

  pauseRead(s: Stream): void {
    if (s !== this.stream) return;
    this.#isPaused = true;
    this.wire.pause();
  }

  resumeRead(s: Stream): void {
    if (s === this.stream) this.#resume();
  }

  #requestEnds(): void {
    this.#requestSent = true;
    if (this.read === Read.tunnel) {
      this.#writer.leave();
      this.wire.end();
    } else if (this.#writer.left > 0) {
      // Less than Content-Length said: the upstream would wait for the rest, or take the next request for it.
      this.fail(Code.locallyClosed);
    }
  }

  #keepEarly(buf: Buffer, a: number, b: number): void {
    this.#early ??= [];
    this.#early.push(Buffer.from(buf.subarray(a, b)));
  }

  // ---- responses -------------------------------------------------------------------------------------------------

  onConnect(): void {
    this.#owner.connected(this);
  }

  protected tunnelOpened(s: Stream): void {
    const early = this.#early;
    this.#early = null;
    let ok = true;
    this.#writer.leave();
    if (early !== null) for (const bytes of early) ok = this.wire.write(bytes, 0, bytes.length);
    if (this.#earlyEnd) this.wire.end();
    else if (early !== null && ok) this.context.sink.writable(s, this);
  }

  /** Only a connection on which both messages ended where they should, with nothing behind them, serves again. */
  protected isReusable(at: number, end: number): boolean {
    const isClean = this.#requestSent && at === end && !this.closes && this.hold.sizeBytes === 0;
    return isClean && !this.#isDraining && !this.#peerEnded && this.wire.pending === 0;
  }

  // ---- the end of streams and of the connection ------------------------------------------------------------------

  /** Lets go of the stream and tells the pool, before the last event is delivered. */
  protected release(keeps: boolean): void {
    this.stream = null;
    this.#early = null;
    this.active = 0;
    this.body.clear();
    if (!keeps) {
      this.#retire(Code.none);
      return;
    }
    this.read = Read.idle;
    this.room = 1;
    this.#resume();
    this.#owner.room(this);
  }

  /** Takes no more streams. */
  #retire(code: number): void {
    this.read = Read.gone;
    this.room = 0;
    if (this.#isGone) return;
    this.#isGone = true;
    this.#owner.gone(this, code);
  }

  /** Drops the connection, and resets the stream that it carries, if any. */
  protected fail(code: number): void {
    const s = this.stream;
    this.stream = null;
    this.#early = null;
    this.active = 0;
    this.#retire(code);
    this.wire.destroy(code);
    if (s !== null && s.gen === this.gen) this.context.sink.upstreamReset(s, code);
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.wire.resume();
  }

  onDrain(): void {
    this.#writer.drained();
    const s = this.stream;
    if (s !== null && s.gen === this.gen) this.context.sink.writable(s, this);
  }

  onEnd(): void {
    this.#peerEnded = true;
    const s = this.stream;
    if (s === null) {
      if (this.read !== Read.gone) this.fail(Code.upstreamClosed);
    } else if (this.read === Read.tunnel) {
      if (s.gen === this.gen) this.context.sink.responseData(s, nothing, 0, 0, true);
      // The stream may go on in the other direction; when it does not, nobody else closes this side.
      if (s.gen !== this.gen) this.fail(Code.none);
    } else if (this.read === Read.body && this.body.isUntilClose) {
      this.release(false);
      this.context.sink.responseData(s, nothing, 0, 0, true);
      this.wire.destroy(Code.locallyClosed);
    } else this.fail(Code.upstreamClosed);
  }

  onClose(code: number): void {
    const reason = code === Code.none ? Code.upstreamClosed : code;
    const s = this.stream;
    this.stream = null;
    this.#early = null;
    this.active = 0;
    this.hold.clear();
    this.body.clear();
    this.#retire(reason);
    if (s !== null && s.gen === this.gen) this.context.sink.upstreamReset(s, reason);
  }

  /** HTTP/1.1 has no heartbeat: a request would be one. */
  ping(): void {}

  drain(): void {
    this.#isDraining = true;
    this.room = 0;
    if (this.stream === null && this.read !== Read.gone) this.fail(Code.none);
  }

  isIdle(): boolean {
    this.#writer.leave();
    return this.stream === null && this.read !== Read.gone && this.wire.pending === 0;
  }

  cutPoint(): number {
    return this.hold.sizeBytes;
  }

  exportState(): CodecState | null {
    return this.isIdle() && !this.#peerEnded && !this.#isDraining
      ? exportConnection(this.hold, this.served)
      : null;
  }

  importState(state: CodecState): void {
    this.served = readState(state);
  }
}
