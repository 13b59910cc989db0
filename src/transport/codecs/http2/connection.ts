import { Code } from '../../../core/base/codes.ts';
import { HeadView } from '../../../core/base/head-view.ts';
import type { CodecContext, CodecState } from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { ByteEngine, Wire } from '../../../core/contract/wire.ts';
import { ClosedIds } from './closed-ids.ts';
import type { Http2Config } from './config.ts';
import {
  defaultWindowBytes,
  Flag,
  FrameType,
  H2Error,
  maxFrameBytes,
  maxWindowBytes,
  Setting,
} from './constants.ts';
import { type FrameHandler, FrameReader } from './frame-reader.ts';
import { type AssemblyLimits, assemblyBytes, HeadAssembly } from './head-assembly.ts';
import { HpackDecoder } from './hpack/decoder.ts';
import type { Http2Stream } from './http2-stream.ts';
import { applySettings } from './peer-settings.ts';
import { StreamSender } from './stream-sender.ts';

/** Header block of a HEADERS frame that CONTINUATION frames go on with. */
interface OpenBlock {
  readonly id: number;
  readonly flags: number;
  readonly parts: Buffer[];
  sizeBytes: number;
}

/**
 * What one connection receives, for servers and clients alike: frames in their order, header blocks, flow control,
 * SETTINGS, PING, GOAWAY. What is wrong with a stream resets it, what is wrong with the connection ends it (RFC 9113 §5.4).
 */
export abstract class Http2Connection extends StreamSender implements ByteEngine, FrameHandler {
  isClosing = false;
  protected isDraining = false;
  protected readonly reader: FrameReader = new FrameReader();
  protected readonly decoder: HpackDecoder;
  protected readonly assembly: HeadAssembly = new HeadAssembly();
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
  #block: OpenBlock | null = null;
  #recvWindow: number = defaultWindowBytes;
  #owed = 0;

  constructor(wire: Wire, context: CodecContext, config: Http2Config) {
    super(wire, context, config);
    this.decoder = new HpackDecoder(config.headerTableBytes);
  }

  protected abstract readonly isServer: boolean;
  /** A complete header block; `flags` are those of its HEADERS frame. */
  protected abstract headers(id: number, flags: number, buf: Buffer, start: number, end: number): void;
  protected abstract headLimits(): AssemblyLimits;
  protected abstract passData(each: Http2Stream, buf: Buffer, a: number, b: number, end: boolean): void;
  protected abstract goAwayCame(lastId: number, error: number): void;
  /** A PING of ours was answered. */
  protected abstract ponged(): void;
  /** The stream is broken: the core learns of it. */
  protected abstract notifyReset(s: Stream, code: number): void;
  /** A stream has left `streams`. */
  protected abstract finished(): void;
  /** Counts and logs the end of a connection that broke the protocol. */
  protected abstract report(code: number, detail: string): void;
  protected abstract maxHeaderBlockBytes(): number;

  onBytes(buf: Buffer, start: number, end: number): void {
    if (!this.isClosing) this.reader.read(buf, start, end, this.wire.ownsReads, this);
  }

  begins(type: number, flags: number, id: number, length: number): boolean {
    if (length > maxFrameBytes) {
      this.fail(H2Error.frameSize, 'a frame is longer than SETTINGS_MAX_FRAME_SIZE');
    } else if (!this.peer.isKnown && (type !== FrameType.settings || (flags & Flag.ack) !== 0)) {
      this.fail(H2Error.protocol, 'the first frame is not SETTINGS');
    } else if (this.#block !== null && (type !== FrameType.continuation || id !== this.#block.id)) {
      this.fail(H2Error.protocol, 'a header block is interrupted by another frame');
    }
    return !this.isClosing;
  }

  frame(type: number, flags: number, id: number, buf: Buffer, start: number, end: number): void {
    switch (type) {
      case FrameType.data:
        this.#paddedData(flags, id, buf, start, end);
        break;
      case FrameType.headers:
        this.#headersFrame(flags, id, buf, start, end);
        break;
      case FrameType.priority:
        this.#priority(id, buf, start, end);
        break;
      case FrameType.rstStream:
        this.#rstStream(id, buf, start, end);
        break;
      case FrameType.settings:
        this.#settings(flags, id, buf, start, end);
        break;
      case FrameType.pushPromise:
        this.fail(H2Error.protocol, 'PUSH_PROMISE was not allowed');
        break;
      case FrameType.ping:
        this.#ping(flags, id, buf, start, end);
        break;
      case FrameType.goAway:
        if (id !== 0) this.fail(H2Error.protocol, 'GOAWAY on a stream');
        else if (end - start < 8) this.fail(H2Error.frameSize, 'GOAWAY is too short');
        else this.goAwayCame(buf.readUInt32BE(start) & maxWindowBytes, buf.readUInt32BE(start + 4));
        break;
      case FrameType.windowUpdate:
        this.#windowUpdate(id, buf, start, end);
        break;
      case FrameType.continuation:
        this.#continuation(flags, id, buf, start, end);
        break;
      default:
        if (this.guard.priority()) this.calm('frames of unknown types');
    }
  }

  // ---- bodies ----------------------------------------------------------------------------------------------------

  data(
    id: number,
    flags: number,
    buf: Buffer,
    start: number,
    end: number,
    counted: number,
    isLast: boolean,
  ): void {
    const each = this.streams.get(id);
    const isEnd = isLast && (flags & Flag.endStream) !== 0;
    if (!this.countData(counted)) return;
    if (each === undefined) {
      if (counted > 0 || isLast) this.#strayData(id);
      return;
    }
    if (start === end && !isEnd) {
      if (counted === 0 && isLast && this.guard.emptyFrame()) this.calm('empty frames');
      if (counted === 0) return;
    }
    if (this.takesData(each, start, end, counted, isEnd)) this.passData(each, buf, start, end, isEnd);
  }

  /** Flow control of the connection. False: it is over. */
  protected countData(counted: number): boolean {
    if (counted === 0) return true;
    this.#recvWindow -= counted;
    if (this.#recvWindow < 0) {
      this.fail(H2Error.flowControl, 'more DATA than the window of the connection');
      return false;
    }
    // What is delivered is bounded by the windows of the streams: one that is read slowly holds up no other.
    this.#owed += counted;
    if (this.#owed >= this.config.connectionWindowBytes / 2) this.#giveBack();
    return true;
  }

  #giveBack(): void {
    this.putWindowUpdate(0, this.#owed);
    this.#recvWindow += this.#owed;
    this.#owed = 0;
  }

  /** Flow control and length of one stream. False: the stream is reset. */
  protected takesData(
    each: Http2Stream,
    start: number,
    end: number,
    counted: number,
    isEnd: boolean,
  ): boolean {
    if (each.remoteEnded) {
      this.breakStream(each, H2Error.streamClosed);
      return false;
    }
    each.recvWindow -= counted;
    each.owed += counted;
    if (each.recvWindow < 0) {
      this.breakStream(each, H2Error.flowControl);
      return false;
    }
    if (!each.headSeen) {
      this.breakStream(each, H2Error.protocol);
      return false;
    }
    if (each.recvLeft >= 0) {
      each.recvLeft -= end - start;
      if (each.recvLeft < 0 || (isEnd && each.recvLeft > 0)) {
        this.breakStream(each, H2Error.protocol);
        return false;
      }
    }
    each.bodyBytes += end - start;
    if (!isEnd) this.returnCredit(each, this.config.streamWindowBytes / 2);
    return true;
  }

  protected returnCredit(each: Http2Stream, thresholdBytes: number): void {
    if (each.isPaused || each.remoteEnded || each.owed < thresholdBytes) return;
    this.putWindowUpdate(each.id, each.owed);
    each.recvWindow += each.owed;
    each.owed = 0;
  }

  #paddedData(flags: number, id: number, buf: Buffer, start: number, end: number): void {
    const padding = start < end ? (buf[start] as number) : 0;
    if (start === end || padding >= end - start) this.fail(H2Error.protocol, 'DATA is all padding');
    else if (padding === 0 && end - start === 1) this.data(id, flags, buf, end, end, 1, true);
    else this.data(id, flags, buf, start + 1, end - padding, end - start, true);
  }

  #strayData(id: number): void {
    if (this.isIdleId(id)) this.fail(H2Error.protocol, 'DATA on an idle stream');
    else if (!this.closedIds.has(id)) this.strayStream(id, H2Error.streamClosed);
  }

  pauseRead(s: Stream): void {
    const each = this.streamOf(s);
    if (each !== undefined) each.isPaused = true;
  }

  resumeRead(s: Stream): void {
    const each = this.streamOf(s);
    if (each === undefined || !each.isPaused) return;
    each.isPaused = false;
    this.returnCredit(each, 1);
  }

  // ---- heads -----------------------------------------------------------------------------------------------------

  #headersFrame(flags: number, id: number, buf: Buffer, start: number, end: number): void {
    if (id === 0) {
      this.fail(H2Error.protocol, 'HEADERS without a stream');
      return;
    }
    let padding = 0;
    if ((flags & Flag.padded) !== 0 && start < end) padding = buf[start++] as number;
    let dependsOn = -1;
    if ((flags & Flag.priority) !== 0 && end - start >= 5) {
      dependsOn = buf.readUInt32BE(start) & maxWindowBytes;
      start += 5;
    } else if ((flags & Flag.priority) !== 0) padding = end;
    if (start + padding > end) {
      this.fail(H2Error.protocol, 'HEADERS is all padding');
      return;
    }
    // Not a verdict on the block: the table needs it whatever becomes of the stream.
    const isSelfDependent = dependsOn === id ? selfDependent : 0;
    if ((flags & Flag.endHeaders) !== 0) {
      this.headers(id, flags | isSelfDependent, buf, start, end - padding);
      return;
    }
    const part = Buffer.from(buf.subarray(start, end - padding));
    this.#block = { id, flags: flags | isSelfDependent, parts: [part], sizeBytes: part.length };
    this.blockBegins();
  }

  /** For deadlines. */
  protected blockBegins(): void {}

  protected get isInBlock(): boolean {
    return this.#block !== null;
  }

  #continuation(flags: number, id: number, buf: Buffer, start: number, end: number): void {
    const block = this.#block;
    if (block === null) {
      this.fail(H2Error.protocol, 'CONTINUATION without HEADERS');
      return;
    }
    block.parts.push(Buffer.from(buf.subarray(start, end)));
    block.sizeBytes += end - start;
    const isTooLong =
      block.sizeBytes > this.maxHeaderBlockBytes() || block.parts.length > this.config.maxContinuations + 1;
    if (isTooLong || (start === end && this.guard.emptyFrame())) {
      this.calm('CONTINUATION frames');
      return;
    }
    if ((flags & Flag.endHeaders) === 0) return;
    this.#block = null;
    const whole = Buffer.concat(block.parts);
    this.headers(id, block.flags, whole, 0, whole.length);
  }

  /**
   * Decodes a block into `head`, which borrows `assembly.buf` until `releaseHead`.
   * @returns false when the connection is over
   */
  protected decodeHead(head: HeadView, buf: Buffer, start: number, end: number, drops: boolean): boolean {
    const limits = this.headLimits();
    const block = this.context.slab.blocks.take(assemblyBytes(limits.maxHeaderBytes));
    this.assembly.begin(head, block, limits, drops);
    if (!this.decoder.decode(buf, start, end, this.assembly)) {
      this.releaseHead();
      this.fail(H2Error.compression, 'a header block is not HPACK');
      return false;
    }
    this.assembly.finish();
    head.borrowed = true;
    return true;
  }

  /** The bytes of the head that was decoded last are not needed any more. */
  protected releaseHead(block: Buffer = this.assembly.buf): void {
    this.context.slab.blocks.give(block);
  }

  /** Only for the table's sake. */
  protected decodeUnheard(buf: Buffer, start: number, end: number): void {
    if (this.decodeHead(new HeadView(), buf, start, end, false)) this.releaseHead();
  }

  // ---- control frames --------------------------------------------------------------------------------------------

  #priority(id: number, buf: Buffer, start: number, end: number): void {
    if (id === 0) this.fail(H2Error.protocol, 'PRIORITY without a stream');
    else if (end - start !== 5) this.strayStream(id, H2Error.frameSize);
    else if ((buf.readUInt32BE(start) & maxWindowBytes) === id) this.strayStream(id, H2Error.protocol);
    if (this.guard.priority()) this.calm('PRIORITY frames');
  }

  #rstStream(id: number, buf: Buffer, start: number, end: number): void {
    if (end - start !== 4) this.fail(H2Error.frameSize, 'RST_STREAM is not of four bytes');
    else if (id === 0 || this.isIdleId(id)) this.fail(H2Error.protocol, 'RST_STREAM on an idle stream');
    else {
      const each = this.streams.get(id);
      if (each !== undefined) this.peerReset(each, buf.readUInt32BE(start));
    }
  }

  protected abstract peerReset(each: Http2Stream, error: number): void;

  #settings(flags: number, id: number, buf: Buffer, start: number, end: number): void {
    const isAck = (flags & Flag.ack) !== 0;
    if (id !== 0) this.fail(H2Error.protocol, 'SETTINGS on a stream');
    else if (isAck ? end > start : (end - start) % 6 !== 0) {
      this.fail(H2Error.frameSize, 'SETTINGS of a wrong length');
    } else if (isAck) this.#settingsAck();
    else if (this.guard.settings()) this.calm('SETTINGS frames');
    else this.#applySettings(buf, start, end);
  }

  #settingsAck(): void {
    if (!this.settingsSent || this.settingsAcked) return;
    this.settingsAcked = true;
    if (!this.isPingOut) this.ackDueMs = 0;
    const change = this.config.streamWindowBytes - defaultWindowBytes;
    for (const each of this.streams.values()) each.recvWindow += change;
  }

  #applySettings(buf: Buffer, start: number, end: number): void {
    const { initialWindowBytes, headerTableBytes } = this.peer;
    const hadRoom = this.hasRoom();
    const error = applySettings(this.peer, buf, start, end, !this.isServer);
    const change = this.peer.initialWindowBytes - initialWindowBytes;
    let isTooWide = false;
    if (change !== 0)
      for (const each of this.streams.values()) isTooWide = !this.widen(each, change) || isTooWide;
    if (error !== 0 || isTooWide) {
      this.fail(error === 0 ? H2Error.flowControl : error, 'SETTINGS have a value that is not allowed');
      return;
    }
    if (this.peer.headerTableBytes !== headerTableBytes) this.encoder.allow(this.peer.headerTableBytes);
    this.out.frameHeader(0, FrameType.settings, Flag.ack, 0);
    this.dirty();
    this.settingsCame(hadRoom);
    if (change > 0) this.pump();
  }

  protected settingsCame(_hadRoom: boolean): void {}

  protected hasRoom(): boolean {
    return true;
  }

  #ping(flags: number, id: number, buf: Buffer, start: number, end: number): void {
    if (id !== 0) this.fail(H2Error.protocol, 'PING on a stream');
    else if (end - start !== 8) this.fail(H2Error.frameSize, 'PING is not of eight bytes');
    else if ((flags & Flag.ack) === 0) {
      if (this.guard.ping()) this.calm('PING frames');
      else this.#putPing(Flag.ack, buf, start, end);
    } else if (this.isPingOut) {
      this.isPingOut = false;
      this.ackDueMs = 0;
      this.ponged();
    }
  }

  #putPing(flags: number, buf: Buffer, start: number, end: number): void {
    this.out.frameHeader(8, FrameType.ping, flags, 0);
    this.out.copy(buf, start, end);
    this.dirty();
  }

  protected sendPing(): void {
    if (this.isPingOut || this.isClosing) return;
    this.isPingOut = true;
    this.ackDueMs = this.context.clock.now() + this.config.ackTimeoutMs;
    this.#putPing(0, pingBytes, 0, 8);
  }

  #windowUpdate(id: number, buf: Buffer, start: number, end: number): void {
    if (end - start !== 4) {
      this.fail(H2Error.frameSize, 'WINDOW_UPDATE is not of four bytes');
      return;
    }
    const bytes = buf.readUInt32BE(start) & maxWindowBytes;
    const each = this.streams.get(id);
    if (this.guard.windowUpdate()) this.calm('WINDOW_UPDATE frames');
    else if (id === 0) this.#widenConnection(bytes);
    else if (each === undefined) {
      if (this.isIdleId(id)) this.fail(H2Error.protocol, 'WINDOW_UPDATE on an idle stream');
    } else if (bytes === 0) this.breakStream(each, H2Error.protocol);
    else if (!this.widen(each, bytes)) this.breakStream(each, H2Error.flowControl);
    else this.pump();
  }

  #widenConnection(bytes: number): void {
    this.sendWindow += bytes;
    if (bytes === 0) this.fail(H2Error.protocol, 'WINDOW_UPDATE of nothing');
    else if (this.sendWindow > maxWindowBytes) this.fail(H2Error.flowControl, 'a window beyond 2^31 - 1');
    else this.pump();
  }

  // ---- what is sent beside streams -------------------------------------------------------------------------------

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
    this.#recvWindow += wider;
    this.dirty();
  }

  /** Settings that both sides send. */
  protected commonSettings(): (readonly [number, number])[] {
    const { config } = this;
    const values: (readonly [number, number])[] = [
      [Setting.initialWindowSize, config.streamWindowBytes],
      [Setting.maxHeaderListSize, this.headLimits().maxHeaderBytes],
    ];
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

  // ---- errors ----------------------------------------------------------------------------------------------------

  protected isIdleId(id: number): boolean {
    return id > this.lastId || (id & 1) === 0;
  }

  /** The peer broke the rules of a stream: it is reset here and for the core. */
  protected breakStream(each: Http2Stream, error: number): void {
    const s = each.s;
    this.forget(each);
    this.putReset(each.id, error);
    this.streamBroke();
    this.finished();
    if (s !== null) this.notifyReset(s, this.isServer ? Code.downstreamProtocol : Code.upstreamProtocol);
  }

  /** The same for a stream that is not there. */
  protected strayStream(id: number, error: number): void {
    const each = this.streams.get(id);
    if (each !== undefined) this.breakStream(each, error);
    else {
      this.putReset(id, error);
      this.streamBroke();
    }
  }

  /** A peer can have streams reset by breaking them: "made you reset", CVE-2025-8671. */
  protected streamBroke(): void {
    if (this.guard.reset()) this.calm('resets');
  }

  protected calm(what: string): void {
    this.fail(H2Error.enhanceYourCalm, `too many ${what}`);
  }

  /** GOAWAY, then the end. */
  protected fail(error: number, detail: string): void {
    if (this.isClosing || this.isClosed) return;
    this.report(this.isServer ? Code.downstreamProtocol : Code.upstreamProtocol, detail);
    this.putGoAway(this.lastPeerId(), error, detail);
    this.close(this.isServer ? Code.downstreamProtocol : Code.upstreamProtocol);
  }

  protected abstract lastPeerId(): number;

  /** Resets all streams for the core; what is put leaves, then FIN. */
  protected close(code: number): void {
    if (this.isClosing) return;
    this.isClosing = true;
    this.reader.clear();
    this.#block = null;
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

  /** The streams are gone, the core does not know yet. */
  protected abstract lostAll(code: number): void;

  protected exportCommon() {
    return {
      peer: { ...this.peer, maxConcurrentStreams: Math.min(this.peer.maxConcurrentStreams, maxWindowBytes) },
      lastId: this.lastId,
      sendWindow: this.sendWindow,
      recvWindow: this.#recvWindow,
      owed: this.#owed,
      settingsSent: this.settingsSent,
      settingsAcked: this.settingsAcked,
      decoder: this.decoder.table.export(),
      encoder: this.encoder.export(),
    };
  }

  protected importCommon(data: ReturnType<Http2Connection['exportCommon']>): void {
    this.peer = { ...data.peer };
    this.lastId = data.lastId;
    this.sendWindow = data.sendWindow;
    this.#recvWindow = data.recvWindow;
    this.#owed = data.owed;
    this.settingsSent = data.settingsSent;
    this.settingsAcked = data.settingsAcked;
    this.decoder.table.import(data.decoder);
    this.encoder.import(data.encoder);
  }

  isIdle(): boolean {
    const isBusy = this.streams.size > 0 || this.isUnsent || this.reader.isInData || this.isInBlock;
    return !isBusy && !this.isClosing && !this.isClosed && this.wire.pending === 0;
  }

  cutPoint(): number {
    return this.reader.partBytes;
  }

  abstract exportState(): CodecState | null;
  abstract onEnd(): void;
  abstract onClose(code: number): void;
}

const pingBytes: Buffer = Buffer.from('heddle\0\0', 'latin1');
/** Beside the flags of HEADERS: its stream depends on itself (RFC 9113 §5.3.1). */
export const selfDependent = 256;
