const Word = { isFull: 0, length: 1, taken: 2 } as const;
const headBytes = 16;
/** Longer batches go by the port. */
const roomBytes = 64 * 1024;

/** Memory of one direction. */
export const createMailbox = (): SharedArrayBuffer => new SharedArrayBuffer(headBytes + roomBytes);

/**
 * Room for one batch in memory that both threads see, beside the port. It overtakes nothing: a batch goes in only when
 * all messages of the port were taken, and what is in it is taken before the next message of the port.
 */
export class MailboxWriter {
  readonly #words: Int32Array;
  readonly #room: Buffer;
  readonly #ring: () => void;

  /** @param ring wakes the other thread */
  constructor(shared: SharedArrayBuffer, ring: () => void) {
    this.#words = new Int32Array(shared, 0, headBytes / 4);
    this.#room = Buffer.from(shared, headBytes);
    this.#ring = ring;
  }

  /**
   * Puts a batch in and wakes the other thread; false: it has to go by the port.
   *
   * @param messages posted by the port so far
   */
  put(batch: Buffer, length: number, messages: number): boolean {
    const words = this.#words;
    if (length > roomBytes || Atomics.load(words, Word.isFull) !== 0) return false;
    if (Atomics.load(words, Word.taken) !== (messages | 0)) return false;
    batch.copy(this.#room, 0, 0, length);
    words[Word.length] = length;
    Atomics.store(words, Word.isFull, 1);
    this.#ring();
    return true;
  }
}

/** The other end of a mailbox. */
export class MailboxReader {
  readonly #words: Int32Array;
  readonly #room: Buffer;

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared, 0, headBytes / 4);
    this.#room = Buffer.from(shared, headBytes);
  }

  /** What is in it, as memory of this thread. */
  take(): ArrayBuffer | null {
    const words = this.#words;
    if (Atomics.load(words, Word.isFull) === 0) return null;
    const length = words[Word.length] as number;
    const slab = new ArrayBuffer(length);
    this.#room.copy(Buffer.from(slab), 0, 0, length);
    Atomics.store(words, Word.isFull, 0);
    return slab;
  }

  /** A message of the port was taken. */
  tookMessage(): void {
    Atomics.add(this.#words, Word.taken, 1);
  }
}
