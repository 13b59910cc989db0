import { writeLatin1 } from '../../../core/base/latin1.ts';

/**
 * Messages of the test protocol "bound":
 *
 *   LOGIN ann\n0\n          GET /a\n5\nhello3\nyou0\n          200\n0\n
 *   first line, then chunks of a length line and that many bytes; length 0 ends the message
 */
export interface MessageHandler {
  /** The first line; `isEmpty`: no body follows. False: a protocol error. */
  head(words: readonly string[], isEmpty: boolean): boolean;
  /** `buf[start, end)` borrowed. */
  body(buf: Buffer, start: number, end: number): void;
  bodyEnd(): void;
  /** The next message must wait. */
  readonly isBusy: boolean;
}

const lineFeed = 10;
const maxLengthDigits = 7;

/** Cuts a byte stream into messages and keeps what cannot be handed on yet. */
export class MessageReader {
  readonly #maxLineBytes: number;
  #part: Buffer | null = null;
  #isInBody = false;
  #left = 0;
  #isReading = false;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  get partBytes(): number {
    return this.#part?.length ?? 0;
  }

  /** Between two messages; bytes may wait all the same. */
  get isAtBoundary(): boolean {
    return !this.#isInBody;
  }

  takePart(): Buffer {
    const part = this.#part ?? Buffer.alloc(0);
    this.#part = null;
    return part;
  }

  /** False: what came is not this protocol. */
  read(buf: Buffer, start: number, end: number, handler: MessageHandler): boolean {
    if (this.#part !== null) {
      buf = Buffer.concat([this.#part, buf.subarray(start, end)]);
      start = 0;
      end = buf.length;
      this.#part = null;
    }
    // An answer that is given at once ends in `proceed`: the loop that runs already goes on instead.
    this.#isReading = true;
    while (start < end && !(this.isAtBoundary && handler.isBusy)) {
      const next = this.#step(buf, start, end, handler);
      if (next === start) break;
      if (next < 0) return false;
      start = next;
    }
    this.#isReading = false;
    if (start < end) this.#part = Buffer.from(buf.subarray(start, end));
    return true;
  }

  /** The handler is no longer busy: what waited goes on. */
  proceed(handler: MessageHandler): boolean {
    if (this.#isReading || this.#part === null) return true;
    return this.read(Buffer.alloc(0), 0, 0, handler);
  }

  /** Offset to go on from; `start` for "more bytes", -1 for an error. */
  #step(buf: Buffer, start: number, end: number, handler: MessageHandler): number {
    if (this.#left > 0) {
      const next = Math.min(end, start + this.#left);
      this.#left -= next - start;
      handler.body(buf, start, next);
      return next;
    }
    return this.#isInBody
      ? this.#chunkLength(buf, start, end, handler)
      : this.#head(buf, start, end, handler);
  }

  #head(buf: Buffer, start: number, end: number, handler: MessageHandler): number {
    const lineEnd = lineEndIn(buf, start, end);
    if ((lineEnd < 0 ? end : lineEnd) - start > this.#maxLineBytes) return -1;
    if (lineEnd < 0) return start;
    // The length behind it says whether a body follows: the head goes out with that knowledge.
    const lengthEnd = lineEndIn(buf, lineEnd + 1, end);
    if (lengthEnd < 0) return end - lineEnd > maxLengthDigits + 1 ? -1 : start;
    const line = buf.toString('latin1', start, lineEnd);
    const length = lengthOf(buf, lineEnd + 1, lengthEnd);
    if (length < 0 || !/^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(line)) return -1;
    this.#left = length;
    this.#isInBody = length > 0;
    return handler.head(line.split(' '), length === 0) ? lengthEnd + 1 : -1;
  }

  #chunkLength(buf: Buffer, start: number, end: number, handler: MessageHandler): number {
    const lineEnd = lineEndIn(buf, start, end);
    if (lineEnd < 0) return end - start > maxLengthDigits ? -1 : start;
    const length = lengthOf(buf, start, lineEnd);
    if (length < 0) return -1;
    this.#left = length;
    this.#isInBody = length > 0;
    if (length === 0) handler.bodyEnd();
    return lineEnd + 1;
  }
}

function lineEndIn(buf: Buffer, start: number, end: number): number {
  const at = buf.indexOf(lineFeed, start);
  return at < end ? at : -1;
}

function lengthOf(buf: Buffer, start: number, end: number): number {
  const text = buf.toString('latin1', start, end);
  return /^(0|[1-9]\d{0,6})$/.test(text) ? Number(text) : -1;
}

/** One buffer of a first line ("" for none), body bytes and, when it ends here, the end. */
export function writeMessage(line: string, buf: Buffer | null, a: number, b: number, end: boolean): Buffer {
  const length = buf === null ? 0 : b - a;
  const first = line === '' ? '' : `${line}\n`;
  const size = length > 0 ? `${length}\n` : '';
  const text = first + size;
  const message = Buffer.allocUnsafe(text.length + length + (end ? 2 : 0));
  let at = writeLatin1(message, text, 0);
  if (length > 0) at += (buf as Buffer).copy(message, at, a, b);
  if (end) writeLatin1(message, '0\n', at);
  return message;
}
