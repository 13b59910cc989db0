/** Flag (0: as it is, 1: compressed) and length, 4 bytes big-endian, before every message (gRPC over HTTP/2). */
const prefixBytes = 5;
/** A message that is announced to be longer grows as its bytes come: a promise costs its maker nothing. */
const firstBytes = 64 * 1024;

/** What is wrong with the bytes; 0 = nothing. */
export const FrameFault = { none: 0, tooLarge: 1, compressed: 2, flag: 3 } as const;
export type FrameFault = (typeof FrameFault)[keyof typeof FrameFault];

/** A message as it goes on the wire. */
export function frameMessage(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(prefixBytes + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, prefixBytes);
  return framed;
}

export interface MessageTarget {
  /** A whole message, for the receiver to keep. */
  message(bytes: Buffer): void;
}

/**
 * Cuts a body into messages, whatever slices it comes in. Holds nothing between messages.
 *
 *   | flag 1 | length 4 | bytes ... | flag 1 | length 4 | ...
 */
export class MessageReader {
  readonly #maxBytes: number;
  readonly #target: MessageTarget;
  /** Bytes of the prefix seen. */
  #prefixAt = 0;
  #flag = 0;
  /** Of the message being read, and how many of its bytes are in `#part`. */
  #length = 0;
  #filled = 0;
  #part: Buffer | null = null;
  #isStopped = false;
  /** Length of the message that was refused as too large. */
  refusedBytes = 0;

  /** @param maxBytes of one message */
  constructor(maxBytes: number, target: MessageTarget) {
    this.#maxBytes = maxBytes;
    this.#target = target;
  }

  /** In the middle of a message. */
  get isPartial(): boolean {
    return this.#prefixAt > 0;
  }

  /** Delivers nothing more. */
  stop(): void {
    this.#isStopped = true;
    this.#part = null;
  }

  /**
   * Reads `buf[a, b)` and calls the target for each message that is complete.
   * @param isOwned the bytes stay valid: a message that lies in them whole is a view
   */
  read(buf: Buffer, a: number, b: number, isOwned: boolean): FrameFault {
    while (a < b && !this.#isStopped) {
      if (this.#prefixAt < prefixBytes) {
        this.#readPrefix(buf[a++] as number);
        if (this.#prefixAt < prefixBytes) continue;
        const fault = this.#judgePrefix();
        if (fault !== FrameFault.none) return fault;
        if (this.#length === 0) this.#deliver(empty);
        continue;
      }
      a = this.#readBytes(buf, a, b, isOwned);
    }
    return FrameFault.none;
  }

  #readPrefix(byte: number): void {
    if (this.#prefixAt++ === 0) this.#flag = byte;
    else this.#length = this.#length * 256 + byte;
  }

  #judgePrefix(): FrameFault {
    if (this.#flag > 1) return FrameFault.flag;
    if (this.#flag === 1) return FrameFault.compressed;
    if (this.#length <= this.#maxBytes) return FrameFault.none;
    this.refusedBytes = this.#length;
    return FrameFault.tooLarge;
  }

  #readBytes(buf: Buffer, a: number, b: number, isOwned: boolean): number {
    const count = Math.min(b - a, this.#length - this.#filled);
    if (this.#filled === 0 && count === this.#length) {
      this.#deliver(isOwned ? buf.subarray(a, a + count) : Buffer.from(buf.subarray(a, a + count)));
      return a + count;
    }
    const part = this.#room(this.#filled + count);
    buf.copy(part, this.#filled, a, a + count);
    this.#filled += count;
    if (this.#filled === this.#length) this.#deliver(part.subarray(0, this.#length));
    return a + count;
  }

  /** The message so far, with room up to `needed` at least. */
  #room(needed: number): Buffer {
    const part = this.#part;
    if (part !== null && part.length >= needed) return part;
    const size = Math.min(this.#length, Math.max(firstBytes, needed * 2));
    const larger = Buffer.allocUnsafe(size);
    part?.copy(larger, 0, 0, this.#filled);
    this.#part = larger;
    return larger;
  }

  #deliver(message: Buffer): void {
    this.#prefixAt = this.#length = this.#filled = 0;
    this.#part = null;
    this.#target.message(message);
  }
}

const empty: Buffer = Buffer.alloc(0);
