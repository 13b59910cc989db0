import { Code } from '../../../core/base/codes.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import { ClosedIds } from './closed-ids.ts';
import { defaultWindowBytes, FrameType, H2Error, Setting } from './constants.ts';
import { FrameReader } from './frame-reader.ts';
import type { AssemblyLimits } from './head-assembly.ts';
import type { Http2Stream } from './http2-stream.ts';
import { StreamSender } from './stream-sender.ts';

/** Why a stream was reset, for the log. */
const streamErrors: Readonly<Record<number, string>> = {
  [H2Error.flowControl]: 'more DATA than the window of the stream, or a window beyond 2^31 - 1',
  [H2Error.streamClosed]: 'a frame on a stream that has ended',
  [H2Error.frameSize]: 'a frame of a wrong length',
};
const pingBytes: Buffer = Buffer.from('heddle\0\0', 'latin1');

/**
 * What one connection sends beside its streams, and how streams and connections that broke the rules end: what is
 * wrong with a stream resets it, what is wrong with the connection ends it (RFC 9113 §5.4).
 */
export abstract class FrameSender extends StreamSender {
  isClosing = false;
  protected abstract readonly isServer: boolean;
  protected isDraining = false;
  protected readonly reader: FrameReader = new FrameReader();
  protected readonly closedIds: ClosedIds = new ClosedIds();
  /** The highest stream id that the opener of streams has used. */
  protected lastId = 0;
  /** Our SETTINGS were sent / acknowledged. */
  protected settingsSent = false;
  protected settingsAcked = false;
  /** When an acknowledgement of SETTINGS or PING is due; 0 when none is awaited. */
  ackDueMs = 0;
  protected isPingOut = false;
  /** FIN follows the next flush. */
  protected isEnding = false;
  /** Body bytes that the peer may still send on all streams together, and those received since it was told so. */
  protected recvWindow: number = defaultWindowBytes;
  protected owed = 0;

  protected abstract headLimits(): AssemblyLimits;
  /** The stream is broken: the core learns of it. */
  protected abstract notifyReset(s: Stream, code: number): void;
  /** A stream has left `streams`. */
  protected abstract finished(): void;
  /** Counts and logs the end of a stream or connection that broke the protocol. */
  protected abstract report(code: number, detail: string): void;
  /** The last stream of the peer's that was looked at, for GOAWAY. */
  protected abstract lastPeerId(): number;
  /** The streams are gone, the core does not know yet. */
  protected abstract lostAll(code: number): void;
  /** Forgets the header block that is not complete. */
  protected abstract dropBlock(): void;

  /** SETTINGS and the window of the connection: the first that either side says. */
  protected putSettings(values: readonly (readonly [number, number])[]): void {
    const { out, config } = this;
    this.settingsSent = true;
    this.ackDueMs = this.context.clock.now() + config.ackTimeoutMs;
    out.frameHeader(values.length * 6, FrameType.settings, 0, 0);
    for (const [id, value] of values) {
      out.buf[out.at++] = id >> 8;
      out.buf[out.at++] = id & 255;
      out.uint32(value);
    }
    const wider = config.connectionWindowBytes - defaultWindowBytes;
    if (wider > 0) this.putWindowUpdate(0, wider);
    this.recvWindow += wider;
    this.dirty();
  }

  /** Settings that both sides send. */
  protected commonSettings(): (readonly [number, number])[] {
    const { config } = this;
    const values: (readonly [number, number])[] = [
      [Setting.maxHeaderListSize, this.headLimits().maxHeaderBytes],
    ];
    if (config.streamWindowBytes !== defaultWindowBytes) {
      values.push([Setting.initialWindowSize, config.streamWindowBytes]);
    }
    if (config.headerTableBytes !== 4096) values.push([Setting.headerTableSize, config.headerTableBytes]);
    return values;
  }

  protected putWindowUpdate(id: number, bytes: number): void {
    this.out.frameHeader(4, FrameType.windowUpdate, 0, id);
    this.out.uint32(bytes);
    this.dirty();
  }

  protected putReset(id: number, error: number): void {
    this.out.frameHeader(4, FrameType.rstStream, 0, id);
    this.out.uint32(error);
    this.closedIds.add(id);
    this.dirty();
  }

  protected putGoAway(lastId: number, error: number, detail: string): void {
    const text = Buffer.from(detail, 'latin1');
    this.out.frameHeader(8 + text.length, FrameType.goAway, 0, 0);
    this.out.uint32(lastId);
    this.out.uint32(error);
    this.out.copy(text, 0, text.length);
    this.dirty();
  }

  protected putPing(flags: number, buf: Buffer, start: number, end: number): void {
    this.out.frameHeader(8, FrameType.ping, flags, 0);
    this.out.copy(buf, start, end);
    this.dirty();
  }

  protected sendPing(): void {
    if (this.isPingOut || this.isClosing) return;
    this.isPingOut = true;
    this.ackDueMs = this.context.clock.now() + this.config.ackTimeoutMs;
    this.putPing(0, pingBytes, 0, 8);
  }

  // ---- errors ----------------------------------------------------------------------------------------------------

  protected isIdleId(id: number): boolean {
    return id > this.lastId || (id & 1) === 0;
  }

  /** The peer broke the rules of a stream: it is reset here and for the core. */
  protected breakStream(each: Http2Stream, error: number): void {
    const s = each.s;
    this.forget(each);
    this.putReset(each.id, error);
    this.#streamBroke(error);
    this.finished();
    if (s !== null) this.notifyReset(s, this.#protocolCode);
  }

  /** The same for a stream that is not there. */
  protected strayStream(id: number, error: number): void {
    const each = this.streams.get(id);
    if (each !== undefined) this.breakStream(each, error);
    else {
      this.putReset(id, error);
      this.#streamBroke(error);
    }
  }

  /** A peer can have streams reset by breaking them: "made you reset", CVE-2025-8671. */
  #streamBroke(error: number): void {
    // A refusal because of too many streams is nobody's fault.
    if (error !== H2Error.refusedStream)
      this.report(this.#protocolCode, streamErrors[error] ?? 'a malformed message');
    if (this.guard.reset()) this.calm('resets');
  }

  get #protocolCode(): number {
    return this.isServer ? Code.downstreamProtocol : Code.upstreamProtocol;
  }

  protected unread(): void {
    this.calm('answers that nobody reads');
  }

  protected calm(what: string): void {
    this.fail(H2Error.enhanceYourCalm, `too many ${what}`);
  }

  /** GOAWAY, then the end. */
  protected fail(error: number, detail: string): void {
    if (this.isClosing || this.isClosed) return;
    this.report(this.isServer ? Code.downstreamProtocol : Code.upstreamProtocol, detail);
    this.putGoAway(this.lastPeerId(), error, detail);
    this.close(this.#protocolCode);
  }

  /** Resets all streams for the core; what is put leaves, then FIN. */
  protected close(code: number): void {
    if (this.isClosing) return;
    this.isClosing = true;
    this.reader.clear();
    this.dropBlock();
    this.resetAll(code);
    this.isEnding = true;
    this.dirty();
  }

  /** Every stream is over, for the core too. */
  protected resetAll(code: number): void {
    const open = [...this.streams.values()];
    const told = open.map((each) => each.s);
    for (const each of open) this.forget(each);
    this.lostAll(code);
    for (const s of told) if (s !== null) this.notifyReset(s, code);
  }
}
