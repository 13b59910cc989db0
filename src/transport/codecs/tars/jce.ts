/** Kinds of fields (JCE, TarsProtocol): a field begins with `tag << 4 | kind`. */
export const Kind = {
  int8: 0,
  int16: 1,
  int32: 2,
  string8: 6,
  string32: 7,
  map: 8,
  zero: 12,
  bytes: 13,
} as const;

/** Strings and byte vectors are longer on no sensible wire. */
const maxStringBytes = 100 * 1024 * 1024;

/** Goes through fields. `failed` once something was not what it had to be; results are 0 from then on. */
export class JceReader {
  at: number;
  failed = false;
  /** Range of the text or bytes that were read last. */
  start = 0;
  end = 0;
  readonly #buf: Buffer;
  readonly #limit: number;

  constructor(buf: Buffer, at: number, limit: number) {
    this.#buf = buf;
    this.at = at;
    this.#limit = limit;
  }

  get isDone(): boolean {
    return this.failed || this.at >= this.#limit;
  }

  /** Tag of the field that begins here. */
  get tag(): number {
    return (this.#buf[this.at] as number) >> 4;
  }

  get kind(): number {
    return (this.#buf[this.at] as number) & 15;
  }

  int(): number {
    const kind = this.isDone ? -1 : this.kind;
    const size = kind === Kind.zero ? 0 : kind >= Kind.int8 && kind <= Kind.int32 ? 1 << kind : -1;
    if (size < 0 || this.at + 1 + size > this.#limit) return this.#fail();
    const value = size === 0 ? 0 : this.#buf.readIntBE(this.at + 1, size);
    this.at += 1 + size;
    return value;
  }

  /** Sets `start` and `end`. */
  string(): void {
    const kind = this.isDone ? -1 : this.kind;
    const size = kind === Kind.string8 ? 1 : kind === Kind.string32 ? 4 : -1;
    if (size < 0 || this.at + 1 + size > this.#limit) this.#fail();
    else this.#range(this.at + 1 + size, this.#buf.readUIntBE(this.at + 1, size));
  }

  /** A vector of bytes: kind, element kind, length, bytes. */
  bytes(): void {
    if (this.isDone || this.kind !== Kind.bytes || this.#buf[this.at + 1] !== Kind.int8) {
      this.#fail();
      return;
    }
    this.at += 2;
    const length = this.int();
    if (!this.failed) this.#range(this.at, length);
  }

  /** Entries of the map of strings that begins here; then `string` twice for each. */
  mapSize(): number {
    if (this.isDone || this.kind !== Kind.map) return this.#fail();
    this.at++;
    const size = this.int();
    // Each entry takes four bytes at least.
    return size < 0 || size * 4 > this.#limit - this.at ? this.#fail() : size;
  }

  #range(start: number, length: number): void {
    if (length < 0 || length > maxStringBytes || start + length > this.#limit) {
      this.#fail();
      return;
    }
    this.start = start;
    this.end = this.at = start + length;
  }

  #fail(): number {
    this.failed = true;
    this.start = this.end = 0;
    return 0;
  }
}

export function intField(tag: number, value: number): Buffer {
  if (value === 0) return Buffer.of((tag << 4) | Kind.zero);
  const kind =
    value === (value << 24) >> 24 ? Kind.int8 : value === (value << 16) >> 16 ? Kind.int16 : Kind.int32;
  const field = Buffer.alloc(1 + (1 << kind));
  field[0] = (tag << 4) | kind;
  field.writeIntBE(value, 1, 1 << kind);
  return field;
}

/** In four bytes whatever the value: room for another one. */
export function int32Field(tag: number, value: number): Buffer {
  const field = Buffer.alloc(5);
  field[0] = (tag << 4) | Kind.int32;
  field.writeInt32BE(value | 0, 1);
  return field;
}

export function stringField(tag: number, text: Buffer): Buffer {
  if (text.length < 256) return Buffer.concat([Buffer.of((tag << 4) | Kind.string8, text.length), text]);
  const head = Buffer.alloc(5);
  head[0] = (tag << 4) | Kind.string32;
  head.writeUInt32BE(text.length, 1);
  return Buffer.concat([head, text]);
}

export function bytesField(tag: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.of((tag << 4) | Kind.bytes, Kind.int8), intField(0, bytes.length), bytes]);
}

/** @param texts keys and values in turn */
export function mapField(tag: number, texts: readonly Buffer[]): Buffer {
  const parts = [Buffer.of((tag << 4) | Kind.map), intField(0, texts.length / 2)];
  texts.forEach((text, i) => {
    parts.push(stringField(i % 2, text));
  });
  return Buffer.concat(parts);
}
