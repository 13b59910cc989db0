import { Code } from '../../../core/base/codes.ts';
import { HeddleError } from '../../../core/base/errors.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import type { CodecContext, CodecState, Flushable } from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { StreamEnd } from '../../../core/contract/stream-end.ts';
import type { ByteEngine, Wire } from '../../../core/contract/wire.ts';
import { writeHeadText } from '../head-text.ts';
import {
  Flag,
  type FrameHandler,
  FrameReader,
  FrameType,
  maxPayloadBytes,
  uint32,
  writeFrame,
} from './frame.ts';

const windowBytes = 64 * 1024;
/** Credit goes back in pieces of this size, not per frame. */
const creditBytes = windowBytes / 4;

/** One stream on a connection. */
export interface MuxStream {
  readonly id: number;
  readonly s: Stream;
  /** Body bytes that the peer still takes. */
  credit: number;
  /** Bytes waiting for credit, owned. */
  readonly queue: Buffer[];
  queueEnds: boolean;
  queuedTrailers: Buffer | null;
  wantsWritable: boolean;
  /** Body bytes received whose credit was not given back. */
  owed: number;
  isPaused: boolean;
  isSent: boolean;
  isReceived: boolean;
}

/** What both sides of the test protocol share: frames, credit, the flush, the move. */
export abstract class MuxConnection implements StreamEnd, ByteEngine, Flushable, FrameHandler {
  readonly wire: Wire;
  protected readonly context: CodecContext;
  protected readonly streams = new Map<number, MuxStream>();
  protected isDraining = false;
  protected isClosed = false;
  readonly #reader = new FrameReader();
  #out: Buffer[] = [];
  #isDirty = false;
  #isEnding = false;

  constructor(wire: Wire, context: CodecContext) {
    this.wire = wire;
    this.context = context;
  }

  abstract frame(type: number, flags: number, id: number, buf: Buffer, start: number, end: number): boolean;
  abstract sendInformational(s: Stream, head: HeadView): void;
  abstract onEnd(): void;
  abstract onClose(code: number): void;
  protected abstract idOf(s: Stream): number;
  protected abstract headWords(head: HeadView): (string | number)[];
  /** The end of the response ends the stream: when sent on the server, when received on the client. */
  protected abstract readonly endsBySending: boolean;
  /** A stream has left `streams`. */
  protected abstract finished(): void;
  protected abstract protocolError(): void;
  protected abstract exportData(): unknown;
  protected abstract importData(data: unknown): void;

  get active(): number {
    return this.streams.size;
  }

  onBytes(buf: Buffer, start: number, end: number): void {
    if (!this.isClosed && !this.#reader.read(buf, start, end, this)) this.protocolError();
  }

  onDrain(): void {
    for (const each of [...this.streams.values()]) this.#announceWritable(each);
  }

  sendHead(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    const each = this.streams.get(this.idOf(s));
    if (each === undefined) return true;
    const hasBody = buf !== null && b > a;
    const payload = writeHeadText(head, this.headWords(head));
    const endsHere = end && !hasBody;
    this.put(FrameType.head, endsHere ? Flag.end : 0, each.id, payload);
    if (hasBody) return this.sendData(s, buf, a, b, end);
    if (endsHere) this.#sent(each);
    return this.#hasRoom(each);
  }

  sendData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    const each = this.streams.get(this.idOf(s));
    if (each === undefined) return true;
    if (b > a) each.queue.push(Buffer.from(buf.subarray(a, b)));
    each.queueEnds = end;
    this.#sendQueue(each);
    return this.#hasRoom(each);
  }

  sendTrailers(s: Stream, trailers: HeadView): void {
    const each = this.streams.get(this.idOf(s));
    if (each === undefined) return;
    each.queuedTrailers = writeHeadText(trailers, ['']);
    this.#sendQueue(each);
  }

  reset(s: Stream, code: number): void {
    const each = this.streams.get(this.idOf(s));
    if (each === undefined) return;
    this.put(FrameType.reset, 0, each.id, Buffer.of(code));
    this.streams.delete(each.id);
    this.finished();
  }

  pauseRead(s: Stream): void {
    const each = this.streams.get(this.idOf(s));
    if (each !== undefined) each.isPaused = true;
  }

  resumeRead(s: Stream): void {
    const each = this.streams.get(this.idOf(s));
    if (each === undefined) return;
    each.isPaused = false;
    this.returnCredit(each, 1);
  }

  isIdle(): boolean {
    return this.streams.size === 0 && this.#out.length === 0 && this.wire.pending === 0 && !this.isClosed;
  }

  cutPoint(): number {
    return this.#reader.partBytes;
  }

  exportState(): CodecState | null {
    if (!this.isIdle() || this.isDraining) return null;
    return { codec: 'test-mux', version: 1, unread: this.#reader.takePart(), data: this.exportData() };
  }

  importState(state: CodecState): void {
    if (state.codec !== 'test-mux' || state.version !== 1) {
      throw new HeddleError('ERR_BUG', `test-mux cannot import ${state.codec} version ${state.version}`);
    }
    this.importData(state.data);
    if (state.unread.length > 0) this.onBytes(state.unread, 0, state.unread.length);
  }

  flush(): void {
    this.#isDirty = false;
    const out = this.#out;
    this.#out = [];
    if (this.isClosed) return;
    if (out.length > 0) {
      const bytes = out.length === 1 ? (out[0] as Buffer) : Buffer.concat(out);
      this.wire.write(bytes, 0, bytes.length);
    }
    if (this.#isEnding) this.wire.end();
  }

  protected open(id: number, s: Stream): MuxStream {
    const each: MuxStream = {
      id,
      s,
      credit: windowBytes,
      queue: [],
      queueEnds: false,
      queuedTrailers: null,
      wantsWritable: false,
      owed: 0,
      isPaused: false,
      isSent: false,
      isReceived: false,
    };
    this.streams.set(id, each);
    return each;
  }

  protected put(type: FrameType, flags: number, id: number, payload: Buffer): void {
    this.#out.push(writeFrame(type, flags, id, payload));
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.context.flushLater(this);
  }

  /** FIN once everything put so far has left. */
  protected endWhenFlushed(): void {
    this.#isEnding = true;
    if (!this.#isDirty) this.wire.end();
  }

  protected received(each: MuxStream): void {
    each.isReceived = true;
    if (!this.endsBySending) this.#finish(each);
  }

  /** Gives back the credit of `each` when at least `threshold` bytes are owed. */
  protected returnCredit(each: MuxStream, threshold: number = creditBytes): void {
    if (each.isPaused || each.owed < threshold || each.owed === 0) return;
    this.put(FrameType.credit, 0, each.id, uint32(each.owed));
    each.owed = 0;
  }

  protected addCredit(id: number, buf: Buffer, start: number, end: number): boolean {
    const each = this.streams.get(id);
    if (end - start !== 4) return false;
    if (each === undefined) return true;
    each.credit += buf.readUInt32BE(start);
    if (each.credit > windowBytes) return false;
    this.#sendQueue(each);
    if (this.streams.has(id)) this.#announceWritable(each);
    return true;
  }

  #sendQueue(each: MuxStream): void {
    while (each.queue.length > 0 && each.credit > 0) {
      const first = each.queue[0] as Buffer;
      const count = Math.min(first.length, each.credit, maxPayloadBytes);
      if (count === first.length) each.queue.shift();
      else each.queue[0] = first.subarray(count);
      each.credit -= count;
      const isLast = each.queueEnds && each.queue.length === 0;
      this.put(FrameType.data, isLast ? Flag.end : 0, each.id, first.subarray(0, count));
      if (isLast) {
        this.#sent(each);
        return;
      }
    }
    if (each.queue.length > 0) return;
    if (each.queuedTrailers !== null) {
      this.put(FrameType.trailers, Flag.end, each.id, each.queuedTrailers);
      this.#sent(each);
    } else if (each.queueEnds) {
      this.put(FrameType.data, Flag.end, each.id, Buffer.alloc(0));
      this.#sent(each);
    }
  }

  #hasRoom(each: MuxStream): boolean {
    if (each.isSent || (each.queue.length === 0 && this.wire.pending <= this.wire.highWaterBytes))
      return true;
    each.wantsWritable = true;
    return false;
  }

  #announceWritable(each: MuxStream): void {
    if (!each.wantsWritable || each.isSent || each.queue.length > 0) return;
    each.wantsWritable = false;
    this.context.sink.writable(each.s, this);
  }

  #sent(each: MuxStream): void {
    each.isSent = true;
    if (this.endsBySending) this.#finish(each);
  }

  #finish(each: MuxStream): void {
    // An answer that overtook its request: the peer need not send the rest.
    if (!each.isSent || !each.isReceived) this.put(FrameType.reset, 0, each.id, Buffer.of(Code.none));
    this.streams.delete(each.id);
    this.finished();
  }
}
