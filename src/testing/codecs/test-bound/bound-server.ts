import { Code } from '../../../core/base/codes.ts';
import { HeddleError } from '../../../core/base/errors.ts';
import type { HeadView } from '../../../core/base/head-view.ts';
import type { CodecContext, CodecState, ServerCodec, ServerOwner } from '../../../core/contract/codec.ts';
import type { Stream } from '../../../core/contract/stream.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import { type MessageHandler, MessageReader, writeMessage } from './message-reader.ts';

/** The server side: one request after the other, and a login that lasts as long as the connection, moves included. */
export class BoundServer implements ServerCodec, MessageHandler {
  readonly wire: Wire;
  readonly #context: CodecContext;
  readonly #owner: ServerOwner;
  readonly #reader: MessageReader;
  #s: Stream | null = null;
  #isReceived = false;
  #isReadPaused = false;
  #isFull = false;
  #isDraining = false;
  #isClosed = false;
  #user = '';
  #loginAs = '';

  constructor(wire: Wire, context: CodecContext, owner: ServerOwner) {
    this.wire = wire;
    this.#context = context;
    this.#owner = owner;
    this.#reader = new MessageReader(owner.limits.maxUriBytes);
    wire.attach(this);
  }

  get active(): number {
    return this.#s === null ? 0 : 1;
  }

  get isBusy(): boolean {
    return this.#s !== null;
  }

  onBytes(buf: Buffer, start: number, end: number): void {
    if (this.#isClosed) return;
    this.#check(this.#reader.read(buf, start, end, this));
    this.#applyPause();
  }

  head(words: readonly string[], isEmpty: boolean): boolean {
    if (words.length !== 2) return false;
    const s = this.#context.sink.acquire();
    s.req.methodText = words[0] as string;
    s.req.pathText = words[1] as string;
    s.req.authorityText = 'bound';
    if (this.#user !== '') s.req.add('x-session', this.#user);
    s.down = this;
    s.peer = this.wire.peer;
    s.protocol = 'test-bound';
    s.pipeline = this.#owner.pipeline;
    this.#s = s;
    this.#loginAs = words[0] === 'LOGIN' ? (words[1] as string) : '';
    this.#isReceived = isEmpty;
    this.#context.sink.requestHead(s, null, 0, 0, isEmpty);
    return true;
  }

  body(buf: Buffer, start: number, end: number): void {
    if (this.#s !== null) this.#context.sink.requestData(this.#s, buf, start, end, false);
  }

  bodyEnd(): void {
    this.#isReceived = true;
    if (this.#s !== null) this.#context.sink.requestData(this.#s, Buffer.alloc(0), 0, 0, true);
  }

  sendInformational(): void {}

  sendHead(s: Stream, head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    if (s !== this.#s) return true;
    if (this.#loginAs !== '' && head.status === 200) this.#user = this.#loginAs;
    return this.#send(writeMessage(String(head.status), buf, a, b, end), end);
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
    this.wire.destroy(code);
  }

  pauseRead(s: Stream): void {
    if (s === this.#s) this.#isReadPaused = true;
    this.#applyPause();
  }

  resumeRead(s: Stream): void {
    if (s === this.#s) this.#isReadPaused = false;
    this.#applyPause();
  }

  drain(): void {
    this.#isDraining = true;
    if (this.#s === null) this.wire.end();
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
      data: { user: this.#user },
    };
  }

  importState(state: CodecState): void {
    if (state.codec !== 'test-bound' || state.version !== 1) {
      throw new HeddleError('ERR_BUG', `test-bound cannot import ${state.codec} version ${state.version}`);
    }
    this.#user = (state.data as { user: string }).user;
    if (state.unread.length > 0) this.onBytes(state.unread, 0, state.unread.length);
  }

  onDrain(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    if (this.#s !== null) this.#context.sink.writable(this.#s, this);
  }

  onEnd(): void {
    if (this.#s === null) this.wire.end();
    else if (this.#isReceived) this.#isDraining = true;
    else this.wire.destroy(Code.downstreamClosed);
  }

  onClose(): void {
    this.#isClosed = true;
    const s = this.#s;
    this.#s = null;
    if (s !== null) this.#context.sink.downstreamReset(s, Code.downstreamClosed);
    this.#owner.closed(this);
  }

  #send(message: Buffer, end: boolean): boolean {
    const isRoom = this.wire.write(message, 0, message.length);
    if (end) this.#finish();
    else this.#isFull = !isRoom;
    return end || isRoom;
  }

  #finish(): void {
    this.#s = null;
    this.#isReadPaused = this.#isFull = false;
    // An answer that overtook its request leaves bytes of unknown meaning behind.
    if (!this.#isReceived || this.#isDraining) {
      this.wire.end();
      return;
    }
    if (this.#reader.partBytes === 0) this.#owner.idle(this);
    this.#check(this.#reader.proceed(this));
    this.#applyPause();
  }

  #check(isOk: boolean): void {
    if (isOk) return;
    this.#owner.protocolError(Code.downstreamProtocol, 'malformed line');
    this.wire.destroy(Code.downstreamProtocol);
  }

  /** Requests that are sent ahead of their answers wait in the kernel, not here. */
  #applyPause(): void {
    if (this.#isReadPaused || (this.isBusy && this.#isReceived && this.#reader.partBytes > 0))
      this.wire.pause();
    else this.wire.resume();
  }
}
