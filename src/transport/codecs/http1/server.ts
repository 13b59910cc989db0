import { Code } from '../../../core/base/codes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import type {
  CodecContext,
  CodecState,
  Flushable,
  ServerCodec,
  ServerOwner,
} from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import type { Http1Config } from './config.ts';
import { Framing } from './encode.ts';
import { responseFraming, responseLength } from './framing.ts';
import { DateText, refusalAnswer } from './local-answer.ts';
import { MessageWriter } from './message-writer.ts';
import { Refusal, refusalFacts } from './refusals.ts';
import { Read, RequestReader } from './request-reader.ts';
import { Due } from './server-deadlines.ts';
import { exportConnection, readState } from './state.ts';

const nothing: Buffer = Buffer.alloc(0);
/** What a client may send while it is being closed on. */
const maxLingerBytes = 262_144;

/**
 * The downstream side of one HTTP/1.1 connection: answers in the order of the requests, one at a time.
 * A request is over when it is read and answered. If the answer is complete first, the rest of the body is drained up
 * to `maxDrainBytes`, else the connection closes.
 */
export class Http1Server extends RequestReader implements ServerCodec, Flushable {
  readonly #writer: MessageWriter;
  #date: DateText | null = null;
  #answerStarted = false;
  #isBodyPaused = false;
  #isDraining = false;
  #peerEnded = false;
  #isAnnounced = true;
  #drainLeft = 0;
  #lingerLeft = maxLingerBytes;

  constructor(wire: Wire, context: CodecContext, owner: ServerOwner, config: Http1Config) {
    super(wire, context, owner, config);
    this.#writer = new MessageWriter(wire, context.writes);
    wire.attach(this);
  }

  // ---- answers ---------------------------------------------------------------------------------------------------

  sendInformational(s: Stream, head: HeadView): void {
    if (s !== this.stream || this.#answerStarted || this.minor === 0) return;
    if (head.status === 100) this.expects = false;
    this.#written(this.#writer.response(head, Framing.none, -1, '', null, 0, 0, false, false));
  }

  sendHead(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    if (s !== this.stream || this.#answerStarted) return true;
    this.#answerStarted = true;
    if (this.read === Read.tunnelOrNot) {
      if (s.isTunnel || head.status === 101) return this.#openTunnel(s, head, buf, a, b);
      this.read = Read.answer;
    }
    if (head.count === 0) this.#addDate(head);
    const lengthBytes = responseLength(head, this.isHead, b - a, end);
    const framing = responseFraming(head, this.isHead, lengthBytes, this.minor);
    this.#decideClose(framing, end);
    const connection = this.#connectionLine();
    const ok = this.#writer.response(head, framing, lengthBytes, connection, buf, a, b, end, s.responseOwned);
    this.#written(ok);
    if (end) this.#answered();
    return ok;
  }

  sendData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    if (s !== this.stream) return true;
    const ok = this.#writer.data(buf, a, b, end, s.responseOwned);
    this.#written(ok);
    if (end) {
      if (this.read === Read.tunnel) this.#endTunnelAnswer();
      else this.#answered();
    }
    return ok;
  }

  sendTrailers(s: Stream, trailers: HeadView): void {
    if (s !== this.stream) return;
    this.#written(this.#writer.trailers(trailers));
    this.#answered();
  }

  reset(s: Stream, code: number): void {
    if (s !== this.stream) return;
    this.#leave();
    this.#cut(code);
  }

  pauseRead(s: Stream): void {
    if (s !== this.stream || (this.read !== Read.body && this.read !== Read.tunnel)) return;
    this.#isBodyPaused = true;
    this.wire.pause();
  }

  resumeRead(s: Stream): void {
    if (s === this.stream) this.#resumeBody();
  }

  /** Answers made here have no wire fields; those from elsewhere keep what they have. */
  #addDate(head: HeadView): void {
    if (!head.has('date')) head.add('date', this.#dateText());
  }

  #dateText(): string {
    this.#date ??= new DateText();
    return this.#date.at(this.context.clock.wallNow());
  }

  #decideClose(framing: number, end: boolean): void {
    if (this.#isDraining || this.owner.isDraining || framing === Framing.untilClose) this.keepsAlive = false;
    if (this.read !== Read.body) return;
    // RFC 9110 §10.1.1: whether the body still comes is unknown then. Or more comes than is worth reading.
    const isLong = end && this.body.left > this.config.maxDrainBytes;
    if (this.expects || isLong) this.keepsAlive = false;
  }

  #connectionLine(): string {
    if (!this.keepsAlive) return 'connection: close\r\n';
    return this.minor === 0 ? 'connection: keep-alive\r\n' : '';
  }

  #openTunnel(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number): boolean {
    this.read = Read.tunnel;
    this.keepsAlive = false;
    const ok = this.#writer.response(head, Framing.raw, -1, '', buf, a, b, false, s.responseOwned);
    this.#written(ok);
    // What the client sent early is delivered once this call is over.
    if (this.hold.sizeBytes > 0 || this.#peerEnded) this.context.flushLater(this);
    return ok;
  }

  flush(): void {
    if (this.read !== Read.tunnel) return;
    this.runHeld();
    if (this.#peerEnded) this.#endTunnel();
  }

  #written(isBelowMark: boolean): void {
    if (!isBelowMark) this.isWireFull = true;
  }

  #leave(): void {
    this.stream = null;
    this.active = 0;
  }

  /** The answer is complete. */
  #answered(): void {
    const isCut = this.#writer.left > 0;
    this.#leave();
    if (isCut) {
      // Less than Content-Length said: only the end of the connection can tell the client.
      this.#cut(Code.locallyClosed);
      return;
    }
    if (!this.keepsAlive || (this.read === Read.body && this.body.left > this.config.maxDrainBytes)) {
      this.#close();
      return;
    }
    this.#drainLeft = this.config.maxDrainBytes;
    this.#resumeBody();
    this.settle();
  }

  // ---- between requests ------------------------------------------------------------------------------------------

  protected settle(): void {
    if (this.stream !== null || this.read !== Read.answer) return;
    if (!this.keepsAlive || this.#isDraining) {
      this.#close();
      return;
    }
    this.read = Read.head;
    this.#answerStarted = false;
    this.#isAnnounced = false;
    this.body.clear();
    this.deadlines.idleBegins(this.owner.limits);
    if (this.isRunning) return;
    if (this.hold.sizeBytes > 0) this.runHeld();
    else this.afterRun();
  }

  protected afterRun(): void {
    if (this.read !== Read.head) return;
    if (this.#peerEnded) this.#endBetween();
    else if (!this.#isAnnounced) {
      this.#isAnnounced = true;
      this.owner.idle(this);
    }
  }

  protected drainBody(sizeBytes: number): void {
    this.#drainLeft -= sizeBytes;
    if (this.#drainLeft < 0) this.#close();
  }

  protected dropBytes(sizeBytes: number): void {
    this.#lingerLeft -= sizeBytes;
    if (this.#lingerLeft < 0) this.wire.destroy(Code.locallyClosed);
  }

  protected resumeWire(): void {
    if (!this.#isBodyPaused && !this.isAheadFull) this.wire.resume();
  }

  #resumeBody(): void {
    if (!this.#isBodyPaused) return;
    this.#isBodyPaused = false;
    this.resumeWire();
  }

  // ---- refusals and the end --------------------------------------------------------------------------------------

  protected refuse(refusal: number): void {
    const { code, detail } = refusalFacts(refusal);
    this.owner.protocolError(code, detail);
    const answer = refusalAnswer(refusal, this.#dateText());
    this.#writer.leave();
    this.wire.write(answer, 0, answer.length);
    this.#close();
  }

  protected failBody(refusal: number): void {
    const s = this.stream;
    const { code } = refusalFacts(refusal);
    this.#leave();
    if (s !== null) this.context.sink.downstreamReset(s, code);
    if (s !== null && !this.#answerStarted) this.refuse(refusal);
    else if (s === null) this.#close();
    else this.#cut(code);
  }

  /** What was written leaves first: the client can tell how far the answer came. */
  #cut(code: number): void {
    this.#writer.leave();
    this.wire.destroy(code);
  }

  /** Sends FIN and goes on reading for a while, so that a RST cannot overtake the answer (RFC 9112 §9.6). */
  #close(): void {
    if (this.read === Read.closing) return;
    this.read = Read.closing;
    if (!this.isRunning) this.clearHeld();
    this.body.clear();
    this.deadlines.linger(this.config.lingerMs);
    this.#writer.leave();
    this.wire.end();
    this.#isBodyPaused = this.isAheadFull = false;
    this.wire.resume();
  }

  onDrain(): void {
    this.isWireFull = false;
    this.#writer.drained();
    const s = this.stream;
    if (s !== null && s.gen === this.gen) this.context.sink.writable(s, this);
    this.runHeld();
  }

  onEnd(): void {
    this.#peerEnded = true;
    switch (this.read) {
      case Read.head:
        this.#endBetween();
        break;
      case Read.tunnel:
        if (this.hold.sizeBytes === 0) this.#endTunnel();
        break;
      case Read.tunnelOrNot:
      case Read.answer:
        if (!this.config.allowHalfClose) this.#abandon();
        break;
      case Read.body:
        this.#abandon();
        break;
      default:
    }
  }

  /** FIN between requests; pipelined ones that came before it are answered first. */
  #endBetween(): void {
    if (this.isWireFull && this.hold.sizeBytes > 0) return;
    if (this.hold.sizeBytes > 0) this.refuse(Refusal.truncated);
    else this.#close();
  }

  /** The other direction may go on for as long as its stream lives; then the client has the usual time to close. */
  #endTunnelAnswer(): void {
    this.#writer.leave();
    this.wire.end();
    this.deadlines.linger(this.config.lingerMs);
  }

  #endTunnel(): void {
    const s = this.stream;
    if (s !== null && s.gen === this.gen) this.context.sink.requestData(s, nothing, 0, 0, true);
    else this.#close();
  }

  /** The client is gone for the request at hand. */
  #abandon(): void {
    const s = this.stream;
    this.#leave();
    if (s !== null) this.context.sink.downstreamReset(s, Code.downstreamClosed);
    this.wire.destroy(Code.downstreamClosed);
  }

  onClose(code: number): void {
    this.deadlines.stop();
    this.read = Read.closing;
    this.clearHeld();
    this.body.clear();
    const s = this.stream;
    this.#leave();
    if (s !== null && s.gen === this.gen) {
      this.context.sink.downstreamReset(s, code === Code.none ? Code.downstreamClosed : code);
    }
    this.owner.closed(this);
  }

  onDeadline(nowMs: number): void {
    const isIdle = this.read === Read.head && this.stream === null;
    switch (this.deadlines.due(nowMs, isIdle)) {
      case Due.idle:
        this.#close();
        break;
      case Due.header:
        this.refuse(Refusal.headerTimeout);
        break;
      case Due.request:
        this.failBody(Refusal.requestTimeout);
        break;
      case Due.linger:
        if (this.stream !== null && this.stream.gen === this.gen) this.deadlines.linger(this.config.lingerMs);
        else this.wire.destroy(Code.locallyClosed);
        break;
      default:
    }
  }

  drain(): void {
    this.#isDraining = true;
    if (this.read === Read.head && this.hold.sizeBytes === 0) this.#close();
  }

  // ---- moving to another process ---------------------------------------------------------------------------------

  isIdle(): boolean {
    // A hand-over asks, which would leave behind what is still held.
    this.#writer.leave();
    return this.read === Read.head && !this.isRunning && this.wire.pending === 0;
  }

  cutPoint(): number {
    return this.hold.sizeBytes;
  }

  exportState(): CodecState | null {
    if (!this.isIdle() || this.#peerEnded || this.#isDraining) return null;
    return exportConnection(this.hold, this.served);
  }

  importState(state: CodecState): void {
    this.served = readState(state);
    // A state that crossed a process may hold a plain Uint8Array.
    const unread = Buffer.from(state.unread);
    if (unread.length > 0) this.onBytes(unread, 0, unread.length);
  }
}
