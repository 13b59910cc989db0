import type { MessagePort } from 'node:worker_threads';
import { FrameFlag, frameHeadBytes, inlineBytes, padded } from './frame.ts';
import type { MailboxWriter } from './mailbox.ts';

const firstBytes = 64 * 1024;
/** A batch that grew to this leaves before its tick ends. */
const fullBytes = 256 * 1024;
/** A scratch buffer that one tick made larger than this is given back. */
const keptBytes = 1024 * 1024;

/**
 * Gathers the frames of one tick and posts them as one message. Frames are written into a scratch buffer that stays
 * here; what leaves is a copy of the exact length, transferred: a slab of fixed size would have to be zeroed for each
 * message (64 KiB: 2 us) or sent back.
 */
export class BatchWriter {
  /** The frame being written; replaced when it grows: read it anew after `begin`. */
  buf: Buffer = Buffer.alloc(0);
  words: Int32Array = new Int32Array(0);
  /**
   * One stream is under way: nothing else is likely to come in this turn of the loop, so a batch leaves when the running
   * code ends (2 to 10 us sooner) and not at the end of the turn; or with the last frame of the stream's direction, where
   * the batch before had one frame, too (32 calls that are answered together begin the next 32 together).
   */
  isQuick = true;
  /** Batches that have left. */
  posted = 0;
  /** Messages posted by the port, the link's own included. */
  messages = 0;
  /** Takes what leaves quickly, while the other end listens to it. */
  mailbox: MailboxWriter | null = null;
  readonly #port: Pick<MessagePort, 'postMessage'>;
  #at = 0;
  #frames = 0;
  #framesBefore = 0;
  #pieces: ArrayBuffer[] = [];
  #piecesBytes = 0;
  #isScheduled = false;
  #isClosed = false;
  readonly #flush = (): void => {
    this.#isScheduled = false;
    this.flush();
  };

  constructor(port: Pick<MessagePort, 'postMessage'>) {
    this.#port = port;
    this.#grow(firstBytes);
  }

  /** Room for a frame with `bytes` behind its head. Returns where the frame begins; `commit` follows. */
  begin(bytes: number): number {
    // Head and body are padded to words.
    const needed = this.#at + frameHeadBytes + bytes + 8;
    if (needed > this.buf.length) this.#grow(needed);
    return this.#at;
  }

  /** Writes the frame's own head and takes the frame over. @param at as `begin` gave it */
  commit(at: number, type: number, id: number, headBytes: number, bodyBytes: number): void {
    const word = at >> 2;
    const { words } = this;
    words[word] = type;
    words[word + 1] = id;
    words[word + 2] = headBytes;
    words[word + 3] = bodyBytes;
    this.#at = at + frameHeadBytes + headBytes + padded(bodyBytes);
    const isAlone = ++this.#frames === 1 && this.#framesBefore === 1;
    const isLast = ((type >>> 8) & FrameFlag.end) !== 0;
    if (this.#at + this.#piecesBytes > fullBytes || (this.isQuick && isLast && isAlone)) this.flush();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      if (this.isQuick) process.nextTick(this.#flush);
      else setImmediate(this.#flush);
    }
  }

  /** As `commit`, with a body that is a piece of its own. */
  commitPiece(at: number, type: number, id: number, headBytes: number, piece: ArrayBuffer): void {
    this.#pieces.push(piece);
    this.#piecesBytes += piece.byteLength;
    this.words[(at >> 2) + 3] = 0;
    this.commit(at, type, id, headBytes, 0);
  }

  /** Posts what is there. */
  flush(): void {
    const length = this.#at;
    if (length === 0 || this.#isClosed) return;
    this.#at = 0;
    this.posted++;
    this.#framesBefore = this.#frames;
    this.#frames = 0;
    if (this.isQuick && this.#pieces.length === 0 && this.mailbox?.put(this.buf, length, this.messages))
      return;
    this.messages++;
    const slab = (this.buf.buffer as ArrayBuffer).slice(0, length);
    if (this.#pieces.length === 0) this.#port.postMessage(slab, [slab]);
    else {
      const message = [slab, ...this.#pieces];
      this.#pieces = [];
      this.#piecesBytes = 0;
      this.#port.postMessage(message, message);
    }
    if (this.buf.length > keptBytes) this.#grow(firstBytes);
  }

  /** Drops what is not posted; nothing leaves any more. */
  close(): void {
    this.#isClosed = true;
    this.#at = 0;
    this.#pieces = [];
  }

  #grow(bytes: number): void {
    const larger = new ArrayBuffer(padded(Math.max(firstBytes, bytes * 2)));
    const buf = Buffer.from(larger);
    this.buf.copy(buf, 0, 0, this.#at);
    this.buf = buf;
    this.words = new Int32Array(larger);
  }
}

/** Does a body of this size leave as a piece? */
export const isPiece = (bytes: number): boolean => bytes > inlineBytes;

/**
 * The bytes as an ArrayBuffer that may be transferred. @param isExclusive nobody else will look at the bytes: a buffer
 * of exactly these is given away, anything else is copied.
 */
export function pieceOf(buf: Buffer, a: number, b: number, isExclusive: boolean): ArrayBuffer {
  const whole = buf.buffer as ArrayBuffer;
  if (isExclusive && buf.byteOffset === 0 && a === 0 && b === whole.byteLength) return whole;
  return new Uint8Array(whole, buf.byteOffset + a, b - a).slice().buffer;
}
