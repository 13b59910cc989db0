/** Jute, the record format of ZooKeeper: big-endian numbers, buffers and strings behind a length of 4 bytes, -1 = null. */
export class JuteWriter {
  #buf = Buffer.allocUnsafe(256);
  #size = 0;

  int(value: number): this {
    this.#size = this.#room(4).writeInt32BE(value, this.#size);
    return this;
  }

  long(value: bigint): this {
    this.#size = this.#room(8).writeBigInt64BE(value, this.#size);
    return this;
  }

  bool(value: boolean): this {
    this.#size = this.#room(1).writeUInt8(value ? 1 : 0, this.#size);
    return this;
  }

  buffer(value: Uint8Array | null): this {
    if (value === null) return this.int(-1);
    this.int(value.length);
    this.#room(value.length).set(value, this.#size);
    this.#size += value.length;
    return this;
  }

  string(value: string): this {
    return this.buffer(Buffer.from(value, 'utf8'));
  }

  strings(values: readonly string[]): this {
    this.int(values.length);
    for (const value of values) this.string(value);
    return this;
  }

  bytes(): Buffer {
    return this.#buf.subarray(0, this.#size);
  }

  #room(sizeBytes: number): Buffer {
    const needed = this.#size + sizeBytes;
    if (needed > this.#buf.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#buf.length * 2));
      this.#buf.copy(larger, 0, 0, this.#size);
      this.#buf = larger;
    }
    return this.#buf;
  }
}

/** What a record says cannot be: the connection that brought it is closed with this as its reason. */
export class MalformedRecord extends Error {
  override readonly name = 'MalformedRecord';
}

/** Reads one frame. Every length is checked against what is there. @throws MalformedRecord */
export class JuteReader {
  readonly #buf: Buffer;
  #at = 0;

  constructor(buf: Buffer) {
    this.#buf = buf;
  }

  get remaining(): number {
    return this.#buf.length - this.#at;
  }

  int(): number {
    return this.#buf.readInt32BE(this.#take(4));
  }

  long(): bigint {
    return this.#buf.readBigInt64BE(this.#take(8));
  }

  bool(): boolean {
    return this.#buf[this.#take(1)] !== 0;
  }

  /** A view of the frame; null for a length of -1. */
  buffer(): Buffer | null {
    const length = this.int();
    if (length === -1) return null;
    if (length < 0) throw new MalformedRecord(`a length of ${length}`);
    const start = this.#take(length);
    return this.#buf.subarray(start, start + length);
  }

  string(): string {
    return this.buffer()?.toString('utf8') ?? '';
  }

  strings(): string[] {
    const count = this.int();
    if (count === -1) return [];
    // Each string has at least its length.
    if (count < 0 || count * 4 > this.remaining) throw new MalformedRecord(`${count} strings announced`);
    const values: string[] = [];
    for (let i = 0; i < count; i++) values.push(this.string());
    return values;
  }

  #take(sizeBytes: number): number {
    if (sizeBytes > this.remaining) {
      throw new MalformedRecord(`${sizeBytes} bytes announced where ${this.remaining} are left`);
    }
    const start = this.#at;
    this.#at += sizeBytes;
    return start;
  }
}
