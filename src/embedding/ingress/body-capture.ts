import type { Stream } from '../../core/contract/stream.ts';
import type { StreamEnd } from '../../core/contract/stream-end.ts';
import type { Request } from './messages.ts';

const nothing: Buffer = Buffer.alloc(0);
/** How long a client may go on sending a body that was refused, so that its answer is not lost to a reset. */
const lingerMs = 1000;
const captureOf = Symbol('heddle.capture');

type Pushing = Request & { [captureOf]?: BodyCapture };

/**
 * Leads the body of a request through the mesh before the application can read it: its parser pushes into the stream,
 * and what the filters let pass is pushed on. Back-pressure goes both ways.
 */
export class BodyCapture {
  readonly #request: Request;
  readonly #push: Request['push'];
  readonly #read: Request['_read'];
  #stream: Stream | null;
  readonly #gen: number;
  #isPaused = false;
  #isAppFull = false;
  #end: StreamEnd | null = null;
  #dropped: (() => void) | null = null;

  constructor(request: Request, s: Stream) {
    this.#request = request;
    this.#push = request.push;
    this.#read = request._read;
    this.#stream = s;
    this.#gen = s.gen;
    (request as Pushing)[captureOf] = this;
    request.push = capturedPush;
    request._read = capturedRead;
  }

  /** The application's end: who is told that it has room again. */
  admitted(end: StreamEnd): void {
    this.#end = end;
  }

  /** From the parser. @returns false: stop reading */
  arrived(chunk: Buffer | null): boolean {
    if (this.#dropped !== null) {
      if (chunk === null) this.#dropped();
      return true;
    }
    const s = this.#live();
    if (s === null) return this.#push.call(this.#request, chunk);
    if (chunk === null) {
      this.#stream = null;
      s.core.requestData(s, nothing, 0, 0, true);
      return true;
    }
    s.core.requestData(s, chunk, 0, chunk.length, false);
    return !this.#isPaused && !this.#isAppFull;
  }

  /** To the application. @returns false: it has enough for now */
  pass(buf: Buffer, a: number, b: number, end: boolean): boolean {
    if (b > a) {
      const bytes = a === 0 && b === buf.length ? buf : buf.subarray(a, b);
      this.#isAppFull = !this.#push.call(this.#request, bytes);
    }
    if (end) this.#push.call(this.#request, null);
    return !this.#isAppFull;
  }

  /** The application wants more. */
  wanted(): void {
    const s = this.#live();
    if (this.#isAppFull && s !== null && this.#end !== null) {
      this.#isAppFull = false;
      s.core.writable(s, this.#end);
    }
    if (!this.#isPaused) this.#read.call(this.#request, 0);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#read.call(this.#request, 0);
  }

  /** The application gets no more of it. @param done is called when all of it has come, or after a while */
  drop(done: () => void): void {
    const timer = setTimeout(done, lingerMs);
    timer.unref();
    this.#dropped = () => {
      clearTimeout(timer);
      done();
    };
    this.resume();
  }

  /** The mesh has no more business with it: the rest passes as it comes. */
  release(): void {
    this.#stream = null;
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#read.call(this.#request, 0);
  }

  #live(): Stream | null {
    const s = this.#stream;
    return s === null || s.gen !== this.#gen ? null : s;
  }
}

function capturedPush(this: Pushing, chunk: Buffer | null): boolean {
  return (this[captureOf] as BodyCapture).arrived(chunk);
}

function capturedRead(this: Pushing): void {
  (this[captureOf] as BodyCapture).wanted();
}
