const nothing: Buffer = Buffer.alloc(0);
/** Most answers are smaller; larger ones grow by doubling. */
const firstBytes = 16 * 1024;

/**
 * Cuts a byte stream into frames of a 4-byte length and that many bytes. Only bytes that have arrived are held, whatever
 * a length says; a frame over the limit is refused by its length alone.
 */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #onFrame: (frame: Buffer) => void;
  readonly #header = Buffer.alloc(4);
  #headerBytes = 0;
  #expected = 0;
  #frame = nothing;
  #size = 0;

  /** @param onFrame gets a frame of its own: it may keep it */
  constructor(maxBytes: number, onFrame: (frame: Buffer) => void) {
    this.#maxBytes = maxBytes;
    this.#onFrame = onFrame;
  }

  /** @returns why the peer cannot be followed any further; "" when all is well */
  push(buf: Buffer, start: number, end: number): string {
    let at = start;
    while (at < end) {
      if (this.#headerBytes < 4) {
        const count = Math.min(4 - this.#headerBytes, end - at);
        buf.copy(this.#header, this.#headerBytes, at, at + count);
        this.#headerBytes += count;
        at += count;
        if (this.#headerBytes < 4) return '';
        this.#expected = this.#header.readInt32BE(0);
        if (this.#expected < 0 || this.#expected > this.#maxBytes) {
          return `a frame of ${this.#expected} bytes, the limit is ${this.#maxBytes}`;
        }
      }
      at += this.#fill(buf, at, end);
      if (this.#size === this.#expected) this.#finish();
    }
    return '';
  }

  #fill(buf: Buffer, at: number, end: number): number {
    const count = Math.min(this.#expected - this.#size, end - at);
    const needed = this.#size + count;
    if (needed > this.#frame.length) {
      const larger = Buffer.allocUnsafeSlow(
        Math.min(this.#expected, Math.max(firstBytes, needed, this.#size * 2)),
      );
      this.#frame.copy(larger, 0, 0, this.#size);
      this.#frame = larger;
    }
    buf.copy(this.#frame, this.#size, at, at + count);
    this.#size = needed;
    return count;
  }

  #finish(): void {
    const frame = this.#frame.subarray(0, this.#size);
    this.#frame = nothing;
    this.#size = 0;
    this.#headerBytes = 0;
    this.#onFrame(frame);
  }
}
