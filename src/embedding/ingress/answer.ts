import type { ServerResponse } from 'node:http';
import type { HeadView } from '../../core/base/head-view.ts';
import type { Stream } from '../../core/contract/stream.ts';
import type { StreamEnd } from '../../core/contract/stream-end.ts';
import type { BodyCapture } from './body-capture.ts';
import type { Exchange } from './exchange.ts';
import { readResponse, writeEdits } from './messages.ts';

const nothing: Buffer = Buffer.alloc(0);
const answerOf = Symbol('heddle.answer');

/** The methods that are replaced; their many signatures are passed on as they come. */
interface Originals {
  writeHead(...given: unknown[]): unknown;
  write(...given: unknown[]): boolean;
  end(...given: unknown[]): unknown;
}
type Hooked = Omit<ServerResponse, keyof Originals> & Originals & { [answerOf]: ApplicationAnswer };
type HeaderInput = Record<string, unknown> | readonly unknown[] | undefined;

/** The application as the upstream of one stream: takes the request, and its answer passes the filters by its head. */
export class ApplicationAnswer implements StreamEnd {
  /** A filter answered in the application's place; what it writes is dropped. */
  isReplaced = false;
  readonly #exchange: Exchange;
  readonly #capture: BodyCapture | null;
  readonly #gen: number;
  #stream: Stream | null;
  #originals: Originals | null = null;
  #fieldCount = 0;
  #isPassed = false;
  #bytes = 0;

  constructor(exchange: Exchange, s: Stream, capture: BodyCapture | null) {
    this.#exchange = exchange;
    this.#capture = capture;
    this.#stream = s;
    this.#gen = s.gen;
    capture?.admitted(this);
  }

  // ---- the request -----------------------------------------------------------------------------------------------

  sendInformational(): void {}

  sendHead(s: Stream, _head: HeadView, buf: Buffer | null, a: number, b: number, end: boolean): boolean {
    this.#exchange.entered(s);
    if (this.#capture === null) return true;
    return this.#capture.pass(buf ?? nothing, buf === null ? 0 : a, buf === null ? 0 : b, end);
  }

  sendData(_s: Stream, buf: Buffer, a: number, b: number, end: boolean): boolean {
    return this.#capture?.pass(buf, a, b, end) ?? true;
  }

  sendTrailers(): void {
    this.#capture?.pass(nothing, 0, 0, true);
  }

  reset(): void {
    this.#stream = null;
  }

  pauseRead(): void {}

  resumeRead(): void {}

  // ---- the answer ------------------------------------------------------------------------------------------------

  /** From here on the head of what the application answers comes this way, and its body is counted. */
  hook(): void {
    const response = this.#exchange.response as unknown as Hooked;
    this.#originals = { writeHead: response.writeHead, write: response.write, end: response.end };
    response[answerOf] = this;
    response.writeHead = hookedWriteHead;
    response.write = hookedWrite;
    response.end = hookedEnd;
  }

  /** Puts the response's own methods back. */
  release(): void {
    this.#stream = null;
    if (this.#originals === null || this.isReplaced) return;
    Object.assign(this.#exchange.response, this.#originals);
    this.#originals = null;
  }

  /** Before a local reply takes the place of the answer. */
  replace(): void {
    if (this.#originals !== null) Object.assign(this.#exchange.response, this.#originals);
    this.isReplaced = true;
  }

  /** The answer is out by another hand: the application writes into the void, and its callbacks are called. */
  muffle(): void {
    const response = this.#exchange.response as unknown as Hooked;
    const nothing = (): unknown => response;
    Object.assign(response, { writeHead: nothing, setHeader: nothing, setHeaders: nothing });
    Object.assign(response, { appendHeader: nothing, removeHeader: nothing, flushHeaders: nothing });
    response.write = (...given) => {
      callBack(given);
      return true;
    };
    response.end = (...given) => {
      callBack(given);
      return response;
    };
  }

  /** All filters have seen the head. */
  headPassed(head: HeadView): void {
    this.#isPassed = true;
    writeEdits(head, this.#fieldCount, this.#exchange.response);
  }

  finished(s: Stream): void {
    s.responseBytes += this.#bytes;
    s.core.responseData(s, nothing, 0, 0, true);
  }

  /** @returns the status to send, or 0 when a filter has answered otherwise */
  head(status: number): number {
    const s = this.#stream;
    if (s === null || s.gen !== this.#gen || this.#isPassed) return status;
    const gen = s.gen;
    s.res.reset();
    this.#fieldCount = readResponse(s.res, status, this.#exchange.response);
    const { res } = s;
    s.core.responseHead(s, null, 0, 0, false);
    if (this.isReplaced) return 0;
    if (this.#isPassed) return s.gen === gen ? res.status : status;
    if (s.gen === gen) s.core.reply(s, 500, 'a filter may not stop the answer of a protected server\n');
    return 0;
  }

  count(chunk: unknown, encoding: unknown): void {
    if (typeof chunk === 'string') {
      this.#bytes += Buffer.byteLength(chunk, (typeof encoding === 'string' ? encoding : 'utf8') as 'utf8');
    } else if (chunk instanceof Uint8Array) this.#bytes += chunk.length;
  }

  get originals(): Originals {
    return this.#originals as Originals;
  }
}

function callBack(given: readonly unknown[]): void {
  const callback = given.find((each) => typeof each === 'function') as (() => void) | undefined;
  if (callback !== undefined) process.nextTick(callback);
}

function hookedWriteHead(this: Hooked, ...given: unknown[]): unknown {
  const answer = this[answerOf];
  const { writeHead } = answer.originals;
  const [status, reason] = given as [number, unknown];
  // An interim answer, or one whose head is out: Node knows what to say to it.
  if (this.headersSent || status < 200) return writeHead.apply(this, given);
  const headers = (typeof reason === 'string' ? given[2] : (given[2] ?? reason)) as HeaderInput;
  if (headers !== undefined && headers !== null) setAll(this, headers);
  const passed = answer.head(status);
  if (passed === 0) return this;
  if (typeof reason === 'string' && passed === status) return writeHead.call(this, passed, reason);
  return writeHead.call(this, passed);
}

/** `writeHead` merges what it is given into what was set: an object, or names and values in turn. */
function setAll(response: Hooked, given: NonNullable<HeaderInput>): void {
  if (!Array.isArray(given)) {
    for (const [name, value] of Object.entries(given)) {
      if (value !== undefined) response.setHeader(name, value as string);
    }
    return;
  }
  const pairs = Array.isArray(given[0])
    ? (given as [string, string][])
    : Array.from(
        { length: given.length / 2 },
        (_none, i) => [given[i * 2], given[i * 2 + 1]] as [string, string],
      );
  for (const [name] of pairs) response.removeHeader(name);
  for (const [name, value] of pairs) response.appendHeader(name, value);
}

function hookedWrite(this: Hooked, ...given: unknown[]): boolean {
  const answer = this[answerOf];
  const { write } = answer.originals;
  if (!passHead(this, answer)) return this.write(...given);
  answer.count(given[0], given[1]);
  return write.apply(this, given);
}

function hookedEnd(this: Hooked, ...given: unknown[]): unknown {
  const answer = this[answerOf];
  const { end } = answer.originals;
  if (!passHead(this, answer)) return this.end(...given);
  answer.count(given[0], given[1]);
  // It fills in the length of a body that it has whole.
  return end.apply(this, given);
}

/** Leads the head past the filters before Node makes it. False: one of them has answered in its place. */
function passHead(response: Hooked, answer: ApplicationAnswer): boolean {
  if (response.headersSent) return true;
  const status = answer.head(response.statusCode);
  if (status === 0) return false;
  response.statusCode = status;
  return true;
}
