import { Code } from '../../../core/base/codes.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import { requestLength } from './body-length.ts';
import { defaultWindowBytes, Flag, frameHeaderBytes, H2Error, preface, Setting } from './constants.ts';
import { encodeRequest, headBound } from './encode-head.ts';
import { Http2Stream, keepEarly } from './http2-stream.ts';
import { ResponseReceiver } from './response-receiver.ts';

const nothing: Buffer = Buffer.alloc(0);

/** Sends the requests of one connection; `Http2Client` says when there are more, and when it ends. */
export abstract class RequestSender extends ResponseReceiver {
  served = 0;

  /** A stream was given its id. */
  protected abstract bound(): void;
  /** The upstream takes more streams than a moment ago. */
  protected abstract roomCame(): void;

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
    this.greet();
    this.lastId += this.lastId === 0 ? 1 : 2;
    s.upId = this.lastId;
    const window = this.settingsAcked ? this.config.streamWindowBytes : defaultWindowBytes;
    this.streams.set(s.upId, new Http2Stream(s.upId, s, this.peer.initialWindowBytes, window));
    this.bound();
  }

  /** The preface, once. */
  protected greet(): void {
    if (this.settingsSent) return;
    this.out.reserve(preface.length);
    this.out.copy(preface, 0, preface.length);
    const values = this.commonSettings();
    values.push([Setting.enablePush, 0]);
    this.putSettings(values);
    this.context.wheel.arm(this, this.ackDueMs);
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
    if (!hadRoom && this.hasRoom()) this.roomCame();
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
}
