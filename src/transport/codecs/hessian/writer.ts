import { copyBytes } from '../../../core/base/bytes.ts';
import { encodeText, textBytes } from './text.ts';

const firstBytes = 256;
/** Units of a string and bytes of a binary chunk, as Caucho cuts them. */
const chunkLength = 0x8000;

/**
 * Writes values of Hessian 2.0 (the dialect of Dubbo), each in its shortest form, as Caucho and hessian.js do. Lists, maps
 * and objects are begun and, where their length is not written, ended by the caller, who also counts references.
 *
 * @example
 * const writer = new HessianWriter();
 * writer.string('2.0.2').map({ group: 'g1' });
 * writer.bytes();
 */
export class HessianWriter {
  #buf: Buffer = Buffer.allocUnsafe(firstBytes);
  #at = 0;
  readonly #classes: string[] = [];
  readonly #types: string[] = [];

  /** What was written so far: a copy. */
  bytes(): Buffer {
    return Buffer.from(this.#buf.subarray(0, this.#at));
  }

  null(): this {
    return this.#byte(0x4e);
  }

  boolean(value: boolean): this {
    return this.#byte(value ? 0x54 : 0x46);
  }

  /** @param value a 32-bit integer */
  int(value: number): this {
    this.#compact(value, 0x90, -16, 47, 0xc8, 0xd4, 0x49);
    return this;
  }

  /** @param value a 64-bit integer */
  long(value: bigint | number): this {
    const number = Number(value);
    if (number >= -0x8000_0000 && number <= 0x7fff_ffff) {
      this.#compact(number, 0xe0, -8, 15, 0xf8, 0x3c, 0x59);
      return this;
    }
    const at = this.#room(9);
    this.#buf[at] = 0x4c;
    this.#buf.writeBigInt64BE(BigInt(value), at + 1);
    return this;
  }

  double(value: number): this {
    if (value === 0 || value === 1) return this.#byte(value === 0 ? 0x5b : 0x5c);
    if (Number.isInteger(value) && value >= -0x8000 && value < 0x8000) {
      const isByte = value >= -0x80 && value < 0x80;
      const at = this.#room(isByte ? 2 : 3);
      this.#buf[at] = isByte ? 0x5d : 0x5e;
      if (isByte) this.#buf.writeInt8(value, at + 1);
      else this.#buf.writeInt16BE(value, at + 1);
      return this;
    }
    const thousandths = Math.trunc(value * 1000);
    const isShort = thousandths === (thousandths | 0) && 0.001 * thousandths === value;
    const at = this.#room(isShort ? 5 : 9);
    this.#buf[at] = isShort ? 0x5f : 0x44;
    if (isShort) this.#buf.writeInt32BE(thousandths, at + 1);
    else this.#buf.writeDoubleBE(value, at + 1);
    return this;
  }

  /** @param unixMs integer milliseconds since 1970 */
  date(unixMs: number): this {
    const minutes = unixMs / 60_000;
    const isShort = minutes === (minutes | 0);
    const at = this.#room(isShort ? 5 : 9);
    this.#buf[at] = isShort ? 0x4b : 0x4a;
    if (isShort) this.#buf.writeInt32BE(minutes, at + 1);
    else this.#buf.writeBigInt64BE(BigInt(unixMs), at + 1);
    return this;
  }

  string(text: string): this {
    let from = 0;
    while (text.length - from > chunkLength) {
      const tail = text.charCodeAt(from + chunkLength - 1);
      // A chunk does not end in half a pair.
      const to = from + chunkLength - (tail >= 0xd800 && tail <= 0xdbff ? 1 : 0);
      this.#text(0x52, text, from, to);
      from = to;
    }
    return this.#text(0x53, text, from, text.length);
  }

  binary(bytes: Buffer): this {
    let from = 0;
    for (; bytes.length - from > chunkLength; from += chunkLength) {
      this.#length(0x41, chunkLength, 0, 0).raw(bytes, from, from + chunkLength);
    }
    return this.#length(0x42, bytes.length - from, 0x20, 0x34).raw(bytes, from, bytes.length);
  }

  /** `count` values follow. @param type "" for a list of no type */
  list(count: number, type = ''): this {
    if (count < 8) this.#byte((type === '' ? 0x78 : 0x70) + count);
    else this.#byte(type === '' ? 0x58 : 0x56);
    if (type !== '') this.#type(type);
    return count < 8 ? this : this.int(count);
  }

  /** Keys and values follow, then `end`. */
  mapStart(type = ''): this {
    return type === '' ? this.#byte(0x48) : this.#byte(0x4d).#type(type);
  }

  end(): this {
    return this.#byte(0x5a);
  }

  /** A whole map of strings, as attachments are. */
  map(entries: Readonly<Record<string, string>>): this {
    this.mapStart();
    for (const key of Object.keys(entries)) this.string(key).string(entries[key] as string);
    return this.end();
  }

  /** The values of `fields` follow, in that order. The class is defined the first time. */
  object(className: string, fields: readonly string[]): this {
    let index = this.#classes.indexOf(className);
    if (index < 0) {
      index = this.#classes.push(className) - 1;
      this.#byte(0x43).string(className).int(fields.length);
      for (const field of fields) this.string(field);
    }
    return index < 16 ? this.#byte(0x60 + index) : this.#byte(0x4f).int(index);
  }

  /** The list, map or object that was begun as the `index`th of the message, from 0. */
  reference(index: number): this {
    return this.#byte(0x51).int(index);
  }

  /** Values that are in wire form already, without class definitions, types or references of another message. */
  raw(bytes: Buffer, start = 0, end: number = bytes.length): this {
    const at = this.#room(end - start);
    copyBytes(bytes, start, end, this.#buf, at);
    return this;
  }

  #type(type: string): this {
    const index = this.#types.indexOf(type);
    if (index >= 0) return this.int(index);
    this.#types.push(type);
    return this.string(type);
  }

  #text(longTag: number, text: string, from: number, to: number): this {
    const isWhole = from === 0 && to === text.length;
    this.#length(longTag, to - from, longTag === 0x52 ? -1 : 0x00, longTag === 0x52 ? -1 : 0x30);
    const at = this.#room(textBytes(isWhole ? text : text.slice(from, to)));
    encodeText(this.#buf, at, text, from, to);
    return this;
  }

  /** @param short @param medium tags of the shorter forms, -1 where a chunk may not use them */
  #length(longTag: number, length: number, short: number, medium: number): this {
    const maxShort = longTag === 0x42 ? 15 : 31;
    if (short >= 0 && length <= maxShort) return this.#byte(short + length);
    const isMedium = medium > 0 && length <= 1023;
    const at = this.#room(isMedium ? 2 : 3);
    this.#buf[at] = isMedium ? medium + (length >> 8) : longTag;
    if (isMedium) this.#buf[at + 1] = length & 255;
    else this.#buf.writeUInt16BE(length, at + 1);
    return this;
  }

  /** int and long in one, two or three bytes around three zeros, else with `longTag` in five. */
  #compact(
    value: number,
    zero: number,
    min: number,
    max: number,
    zero2: number,
    zero3: number,
    longTag: number,
  ): void {
    if (value >= min && value <= max) {
      this.#byte(zero + value);
    } else if (value >= -0x800 && value <= 0x7ff) {
      this.#byte(zero2 + (value >> 8)).#byte(value & 255);
    } else if (value >= -0x40000 && value <= 0x3ffff) {
      const at = this.#room(3);
      this.#buf[at] = zero3 + (value >> 16);
      this.#buf.writeUInt16BE(value & 0xffff, at + 1);
    } else {
      const at = this.#room(5);
      this.#buf[at] = longTag;
      this.#buf.writeInt32BE(value, at + 1);
    }
  }

  #byte(value: number): this {
    const at = this.#room(1);
    this.#buf[at] = value;
    return this;
  }

  /** The offset of `size` bytes that are now part of what was written. */
  #room(size: number): number {
    const at = this.#at;
    if (at + size > this.#buf.length) {
      const larger = Buffer.allocUnsafe((at + size) * 2);
      this.#buf.copy(larger, 0, 0, at);
      this.#buf = larger;
    }
    this.#at = at + size;
    return at;
  }
}
