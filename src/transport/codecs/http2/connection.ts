import type { CodecState } from '../../../core/contract/codec.ts';
import type { ByteEngine } from '../../../core/contract/wire.ts';
import { defaultWindowBytes, Flag, FrameType, H2Error, maxFrameBytes, maxWindowBytes } from './constants.ts';
import type { FrameHandler } from './frame-reader.ts';
import { HeadReceiver } from './head-receiver.ts';
import type { Http2Stream } from './http2-stream.ts';
import { applySettings } from './peer-settings.ts';

/**
 * One connection, for servers and clients alike: frames in their order, SETTINGS, PING, GOAWAY, windows. Each class
 * of the chain does one thing:
 *
 *   FrameOutput <- StreamSender <- FrameSender <- BodyReceiver <- HeadReceiver <- Http2Connection
 *     <- RequestReceiver <- AnswerSender <- Http2Server
 *     <- ResponseReceiver <- RequestSender <- Http2Client
 */
export abstract class Http2Connection extends HeadReceiver implements ByteEngine, FrameHandler {
  protected abstract peerReset(each: Http2Stream, error: number): void;
  protected abstract goAwayCame(lastId: number, error: number): void;
  /** A PING of ours was answered. */
  protected abstract ponged(): void;

  onBytes(buf: Buffer, start: number, end: number): void {
    if (!this.isClosing) this.reader.read(buf, start, end, this.wire.ownsReads, this);
  }

  begins(type: number, flags: number, id: number, length: number): boolean {
    if (length > maxFrameBytes) {
      this.fail(H2Error.frameSize, 'a frame is longer than SETTINGS_MAX_FRAME_SIZE');
    } else if (!this.peer.isKnown && (type !== FrameType.settings || (flags & Flag.ack) !== 0)) {
      this.fail(H2Error.protocol, 'the first frame is not SETTINGS');
    } else if (this.interruptsBlock(type === FrameType.continuation, id)) {
      this.fail(H2Error.protocol, 'a header block is interrupted by another frame');
    }
    return !this.isClosing;
  }

  frame(type: number, flags: number, id: number, buf: Buffer, start: number, end: number): void {
    switch (type) {
      case FrameType.data:
        this.paddedData(flags, id, buf, start, end);
        break;
      case FrameType.headers:
        this.headersFrame(flags, id, buf, start, end);
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
        this.continuation(flags, id, buf, start, end);
        break;
      default:
        if (this.guard.priority()) this.calm('frames of unknown types');
    }
  }

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
      else this.putPing(Flag.ack, buf, start, end);
    } else if (this.isPingOut) {
      this.isPingOut = false;
      this.ackDueMs = 0;
      this.ponged();
    }
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

  protected exportCommon() {
    return {
      peer: { ...this.peer, maxConcurrentStreams: Math.min(this.peer.maxConcurrentStreams, maxWindowBytes) },
      lastId: this.lastId,
      sendWindow: this.sendWindow,
      recvWindow: this.recvWindow,
      owed: this.owed,
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
    this.recvWindow = data.recvWindow;
    this.owed = data.owed;
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
