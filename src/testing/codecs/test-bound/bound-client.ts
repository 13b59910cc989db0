import { Code } from '../../../core/base/codes.ts';
import { HeddleError } from '../../../core/base/errors.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import type { ClientCodec, ClientOwner, CodecContext, CodecState } from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import { type MessageHandler, MessageReader, writeMessage } from './message-reader.ts';

const maxStatusLineBytes = 3;

export class BoundClient implements ClientCodec, MessageHandler {
  readonly wire: Wire;
  served = 0;
  readonly #context: CodecContext;
  readonly #owner: ClientOwner;
  readonly #reader = new MessageReader(maxStatusLineBytes);
  #s: Stream | null = null;
  #isSent = false;
  #isFull = false;
  #isDraining = false;
  #isClosed = false;

  constructor(wire: Wire, context: CodecContext, owner: ClientOwner) {
    this.wire = wire;
    this.#context = context;
    this.#owner = owner;
    wire.attach(this);
  }

  get active(): number {
    return this.#s === null ? 0 : 1;
  }

  get room(): number {
    return this.#s !== null || this.#isDraining || this.#isClosed ? 0 : 1;
  }

  /** An answer that nobody asked for must not wait for a request. */
  get isBusy(): boolean {
    return false;
  }

  bind(s: Stream): void {
    s.up = this;
    s.reused = this.served > 0;
    this.served++;
    this.#s = s;
    this.#isSent = false;
  }

  ping(): void {}

  drain(): void {
    this.#isDraining = true;
    if (this.#s === null) this.wire.end();
  }

  onConnect(): void {
    this.#owner.connected(this);
  }

  onBytes(buf: Buffer, start: number, end: number): void {
    if (this.#isClosed) return;
    if (!this.#reader.read(buf, start, end, this)) this.wire.destroy(Code.upstreamProtocol);
  }

  head(words: readonly string[], isEmpty: boolean): boolean {
    const s = this.#s;
    if (s === null || words.length !== 1 || !/^\d{3}$/.test(words[0] as string)) return false;
    s.res.status = Number(words[0]);
    if (isEmpty) this.#finish();
    this.#context.sink.responseHead(s, null, 0, 0, isEmpty);
    return true;
  }

  body(buf: Buffer, start: number, end: number): void {
    if (this.#s !== null) this.#context.sink.responseData(this.#s, buf, start, end, false);
  }

  bodyEnd(): void {
    const s = this.#s;
    if (s === null) return;
    this.#finish();
    this.#context.sink.responseData(s, Buffer.alloc(0), 0, 0, true);
  }

  sendInformational(): void {}

  sendHead(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    if (s !== this.#s) return true;
    return this.#send(writeMessage(`${head.method} ${head.path}`, buf, a, b, end), end);
  }

  sendData(s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    return s === this.#s ? this.#send(writeMessage('', buf, a, b, end), end) : true;
  }

  sendTrailers(s: Stream): void {
    if (s === this.#s) this.#send(writeMessage('', null, 0, 0, true), true);
  }

  reset(s: Stream, code: number): void {
    if (s !== this.#s) return;
    this.#s = null;
    this.#isDraining = true;
    this.#owner.gone(this, code);
    this.wire.destroy(code);
  }

  pauseRead(s: Stream): void {
    if (s === this.#s) this.wire.pause();
  }

  resumeRead(s: Stream): void {
    if (s === this.#s) this.wire.resume();
  }

  isIdle(): boolean {
    return this.#s === null && this.#reader.isAtBoundary && this.wire.pending === 0 && !this.#isClosed;
  }

  cutPoint(): number {
    return this.#reader.partBytes;
  }

  exportState(): CodecState | null {
    if (!this.isIdle() || this.#isDraining) return null;
    return {
      codec: 'test-bound',
      version: 1,
      unread: this.#reader.takePart(),
      data: { served: this.served },
    };
  }

  importState(state: CodecState): void {
    if (state.codec !== 'test-bound' || state.version !== 1) {
      throw new HeddleError('ERR_BUG', `test-bound cannot import ${state.codec} version ${state.version}`);
    }
    this.served = (state.data as { served: number }).served;
    if (state.unread.length > 0) this.onBytes(state.unread, 0, state.unread.length);
  }

  onDrain(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    if (this.#s !== null) this.#context.sink.writable(this.#s, this);
  }

  onEnd(): void {
    this.wire.destroy(Code.upstreamClosed);
  }

  onClose(code: number): void {
    this.#isClosed = true;
    const s = this.#s;
    this.#s = null;
    this.#owner.gone(this, code);
    if (s !== null) this.#context.sink.upstreamReset(s, code);
  }

  #send(message: Buffer, end: boolean): boolean {
    const isRoom = this.wire.write(message, 0, message.length);
    if (end) this.#isSent = true;
    this.#isFull = !isRoom && !end;
    return end || isRoom;
  }

  #finish(): void {
    this.#s = null;
    this.wire.resume();
    if (!this.#isSent) {
      // The rest of the request will never come: the connection cannot be used again.
      this.#isDraining = true;
      this.#owner.gone(this, Code.none);
      this.wire.end();
    } else if (this.#isDraining) this.wire.end();
    else this.#owner.room(this);
  }
}
