import { hessian2 } from '../../../../src/transport/codecs/hessian/dialect.ts';
import {
  HessianText,
  intBytes,
  locateString,
  readInt,
  skipString,
} from '../../../../src/transport/codecs/hessian/read.ts';
import type { HessianWriter } from '../../../../src/transport/codecs/hessian/writer.ts';

/** Reads values of Hessian 2.0 and writes them again: what comes out shows how the writer chooses its forms. */
export class Rewriter {
  readonly #bytes: Buffer;
  readonly #writer: HessianWriter;
  readonly #classes: { name: string; fields: string[] }[] = [];
  readonly #types: string[] = [];
  #at = 0;

  constructor(bytes: Buffer, writer: HessianWriter) {
    this.#bytes = bytes;
    this.#writer = writer;
  }

  value(): void {
    const tag = this.#bytes[this.#at] as number;
    if (this.#scalar(tag)) return;
    if (tag === 0x43) {
      this.#at++;
      const name = this.#string();
      const fields = Array.from({ length: this.#int() }, () => this.#string());
      this.#classes.push({ name, fields });
      this.value();
    } else if (tag >= 0x60 && tag <= 0x6f) {
      this.#at++;
      const { name, fields } = this.#classes[tag - 0x60] as { name: string; fields: string[] };
      this.#writer.object(name, fields);
      for (const _ of fields) this.value();
    } else if (tag === 0x51) {
      this.#at++;
      this.#writer.reference(this.#int());
    } else if (tag === 0x48 || tag === 0x4d) {
      this.#at++;
      this.#writer.mapStart(tag === 0x4d ? this.#type() : '');
      while (this.#bytes[this.#at] !== 0x5a) this.value();
      this.#at++;
      this.#writer.end();
    } else this.#list(tag);
  }

  #list(tag: number): void {
    this.#at++;
    const type = tag === 0x56 || (tag >= 0x70 && tag <= 0x77) ? this.#type() : '';
    const count = tag === 0x56 || tag === 0x58 ? this.#int() : (tag - 0x70) % 8;
    this.#writer.list(count, type);
    for (let i = 0; i < count; i++) this.value();
  }

  #scalar(tag: number): boolean {
    const bytes = this.#bytes;
    if (intBytes(tag) > 0) this.#writer.int(this.#int());
    else if (tag === 0x4e) this.#done(1, this.#writer.null());
    else if (tag === 0x54 || tag === 0x46) this.#done(1, this.#writer.boolean(tag === 0x54));
    else if (tag >= 0xd8 && tag <= 0xef) this.#done(1, this.#writer.long(tag - 0xe0));
    else if (tag >= 0xf0)
      this.#done(2, this.#writer.long(((tag - 0xf8) << 8) + bytes.readUInt8(this.#at + 1)));
    else if (tag >= 0x38 && tag <= 0x3f)
      this.#done(3, this.#writer.long(((tag - 0x3c) << 16) + bytes.readUInt16BE(this.#at + 1)));
    else if (tag === 0x59) this.#done(5, this.#writer.long(bytes.readInt32BE(this.#at + 1)));
    else if (tag === 0x4c) this.#done(9, this.#writer.long(bytes.readBigInt64BE(this.#at + 1)));
    else if (tag === 0x5b || tag === 0x5c) this.#done(1, this.#writer.double(tag - 0x5b));
    else if (tag === 0x5d) this.#done(2, this.#writer.double(bytes.readInt8(this.#at + 1)));
    else if (tag === 0x5e) this.#done(3, this.#writer.double(bytes.readInt16BE(this.#at + 1)));
    else if (tag === 0x5f) this.#done(5, this.#writer.double(0.001 * bytes.readInt32BE(this.#at + 1)));
    else if (tag === 0x44) this.#done(9, this.#writer.double(bytes.readDoubleBE(this.#at + 1)));
    else if (tag === 0x4a) this.#done(9, this.#writer.date(Number(bytes.readBigInt64BE(this.#at + 1))));
    else if (tag === 0x4b) this.#done(5, this.#writer.date(bytes.readInt32BE(this.#at + 1) * 60_000));
    else if (tag >= 0x20 && tag <= 0x2f) this.#binary(1, tag - 0x20);
    else if (tag >= 0x34 && tag <= 0x37) this.#binary(2, ((tag - 0x34) << 8) | bytes.readUInt8(this.#at + 1));
    else if (tag === 0x42) this.#binary(3, bytes.readUInt16BE(this.#at + 1));
    else if (tag <= 0x33 || tag === 0x52 || tag === 0x53) this.#writer.string(this.#string());
    else return false;
    return true;
  }

  #binary(header: number, length: number): void {
    const start = this.#at + header;
    this.#done(header + length, this.#writer.binary(this.#bytes.subarray(start, start + length)));
  }

  #done(size: number, _: HessianWriter): void {
    this.#at += size;
  }

  #type(): string {
    const isIndex = intBytes(this.#bytes[this.#at] as number) > 0;
    if (isIndex) return this.#types[this.#int()] as string;
    const type = this.#string();
    this.#types.push(type);
    return type;
  }

  #int(): number {
    const value = readInt(this.#bytes, this.#at, this.#bytes.length);
    this.#at += intBytes(this.#bytes[this.#at] as number);
    return value;
  }

  #string(): string {
    const text = new HessianText();
    const next = locateString(hessian2, this.#bytes, this.#at, this.#bytes.length, text);
    if (next !== skipString(hessian2, this.#bytes, this.#at, this.#bytes.length)) throw new Error('two ends');
    this.#at = next;
    return text.read(hessian2, this.#bytes);
  }
}
