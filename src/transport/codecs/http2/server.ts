import { Code } from '../../../core/base/codes.ts';
import type { CodecContext, CodecState, ServerCodec, ServerOwner } from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import { AnswerSender } from './answer-sender.ts';
import type { Http2Config } from './config.ts';
import { H2Error, maxStreamId } from './constants.ts';
import type { Http2Stream } from './http2-stream.ts';
import { Due } from './server-deadlines.ts';
import { readState, stateOf } from './state.ts';

/** A complete answer of which nothing was taken during that many looks is dropped. */
const stalledLooks = 4;

/** The downstream side of one HTTP/2 connection. It says nothing before the client's preface begins. */
export class Http2Server extends AnswerSender implements ServerCodec {
  constructor(wire: Wire, context: CodecContext, owner: ServerOwner, config: Http2Config) {
    super(wire, context, owner, config);
    wire.attach(this);
  }

  // ---- the end of streams and of the connection ------------------------------------------------------------------

  protected peerReset(each: Http2Stream): void {
    const s = each.s;
    this.forget(each);
    if (this.guard.reset()) this.calm('resets');
    this.finished();
    if (s !== null) this.context.sink.downstreamReset(s, Code.downstreamClosed);
  }

  protected notifyReset(s: Stream, code: number): void {
    this.context.sink.downstreamReset(s, code);
  }

  protected finished(): void {
    if (this.streams.size === 0) this.dirty();
  }

  protected flushed(): void {
    this.passEarly();
    if (this.isClosed) return;
    if (this.streams.size === 0 && !this.isUnsent) {
      if (this.isDraining && !this.isPingOut) this.isEnding = true;
      else if (!this.isAnnounced && this.isIdle()) {
        this.isAnnounced = true;
        this.deadlines.idleBegins();
        this.owner.idle(this);
      }
    }
    if (this.isEnding && !this.isUnsent) this.#endWire();
  }

  #endWire(): void {
    this.isClosing = true;
    this.wire.end();
    this.deadlines.linger(this.config.lingerMs);
  }

  protected report(code: number, detail: string): void {
    this.owner.protocolError(code, detail);
  }

  protected lastPeerId(): number {
    return this.lastId;
  }

  protected lostAll(): void {}

  protected goAwayCame(): void {
    // A client that says so opens no more streams; it closes when the last is done.
    this.isDraining = true;
    this.finished();
  }

  protected ponged(): void {
    this.isPingOut = false;
    this.ackDueMs = 0;
    if (!this.isDraining || this.goAwayId !== maxStreamId) return;
    this.goAwayId = this.lastId;
    this.putGoAway(this.lastId, H2Error.none, '');
    this.finished();
  }

  /** RFC 9113 §6.8: a first GOAWAY that excludes nothing, and the real one a round trip later. */
  drain(): void {
    if (this.isDraining || this.isClosing) return;
    this.isDraining = true;
    if (!this.settingsSent) {
      this.isEnding = true;
      this.dirty();
      return;
    }
    this.putGoAway(maxStreamId, H2Error.none, '');
    this.isPingOut = false;
    this.sendPing();
    this.deadlines.ackBegins(this.owner.limits);
  }

  protected drainWhenSpent(): void {
    const max = this.owner.limits.maxRequestsPerConnection;
    if (this.owner.isDraining || (max > 0 && this.served >= max)) this.drain();
  }

  onEnd(): void {
    for (const each of [...this.streams.values()]) {
      if (each.remoteEnded) continue;
      const s = each.s;
      this.forget(each);
      if (s !== null) this.context.sink.downstreamReset(s, Code.downstreamClosed);
    }
    this.isDraining = true;
    this.isPingOut = false;
    this.finished();
  }

  onClose(code: number): void {
    this.isClosed = this.isClosing = true;
    this.deadlines.stop();
    this.reader.clear();
    this.resetAll(code === Code.none ? Code.downstreamClosed : code);
    this.out.drop();
    this.owner.closed(this);
  }

  onDeadline(nowMs: number): void {
    switch (this.deadlines.due(nowMs, this.owner.limits)) {
      case Due.linger:
        this.wire.destroy(Code.locallyClosed);
        break;
      case Due.ack:
        if (this.isDraining) this.ponged();
        else this.fail(H2Error.settingsTimeout, 'no acknowledgement of SETTINGS');
        break;
      case Due.header:
        this.fail(H2Error.enhanceYourCalm, 'a frame or header block was not complete in time');
        break;
      case Due.idle:
        this.drain();
        break;
      default:
        this.#lookAtStreams(nowMs);
    }
  }

  /** Requests that take too long to arrive, and answers that nobody reads. */
  #lookAtStreams(nowMs: number): void {
    if (this.streams.size === 0) this.dropCaches();
    const limitMs = this.owner.limits.requestTimeoutMs;
    for (const each of [...this.streams.values()]) {
      const s = each.s;
      // Requests of gRPC may be streams that never end: their callers say how long they wait.
      const isLate = s !== null && limitMs > 0 && !s.isGrpc && nowMs >= s.startMs + limitMs;
      if (isLate && !each.remoteEnded && !each.isTunnel && !each.awaitsTunnel) {
        this.#timeOut(each, s);
      } else if (s === null && ++each.stalledLooks > stalledLooks) {
        this.putReset(each.id, H2Error.cancel);
        this.forget(each);
        this.finished();
      }
    }
  }

  #timeOut(each: Http2Stream, s: Stream): void {
    this.forget(each);
    if (each.headSent) this.putReset(each.id, H2Error.cancel);
    else this.refuse(each.id, 0, 408, false);
    this.finished();
    this.context.sink.downstreamReset(s, Code.requestTimeout);
  }

  // ---- moving to another process ---------------------------------------------------------------------------------

  exportState(): CodecState | null {
    if (!this.isIdle() || this.isDraining || this.isPingOut) return null;
    const data = { ...this.exportCommon(), prefaceSeen: this.prefaceSeen, served: this.served };
    return stateOf(this.reader, data);
  }

  importState(state: CodecState): void {
    const data = readState<ReturnType<Http2Server['exportCommon']> & { prefaceSeen: number; served: number }>(
      state,
    );
    this.importCommon(data);
    this.prefaceSeen = data.prefaceSeen;
    this.served = data.served;
    const unread = Buffer.from(state.unread);
    if (unread.length > 0) this.onBytes(unread, 0, unread.length);
  }
}
