import { copyBytes } from '../../../../core/base/bytes.ts';
import { flagsOfValue, kindOf } from '../field-kind.ts';
import type { HeadAssembly } from '../head-assembly.ts';
import { DynamicTable } from './dynamic-table.ts';
import { huffmanDecode } from './huffman.ts';
import { type IntegerCursor, readRest } from './integer.ts';
import {
  staticBytes,
  staticCount,
  staticKinds,
  staticNameLengths,
  staticStarts,
  staticValueLengths,
} from './static-table.ts';

/** RFC 9113 §6.5.2. */
const initialTableBytes = 4096;

/** A header decoder (RFC 7541) of one connection. The meta of a table entry is its kind and the flags of its value. */
export class HpackDecoder {
  readonly table: DynamicTable;
  /** What our SETTINGS allow: a size update may not go beyond it (§6.3). */
  readonly #allowedBytes: number;
  readonly #cursor: IntegerCursor = { value: 0, at: 0 };

  /** @param allowedBytes our SETTINGS_HEADER_TABLE_SIZE; until the peer says otherwise the table has the initial size */
  constructor(allowedBytes: number) {
    this.#allowedBytes = Math.max(allowedBytes, initialTableBytes);
    this.table = new DynamicTable(initialTableBytes);
  }

  /** Decodes a whole block into `target`. False: the block is no HPACK, and the table is of no use any more. */
  decode(block: Buffer, start: number, end: number, target: HeadAssembly): boolean {
    let at = start;
    let mayResize = true;
    while (at < end) {
      const first = block[at++] as number;
      if (first >= 128) at = this.#indexed(block, at, end, first, target);
      else if (first >= 64) at = this.#literal(block, at, end, first & 63, 63, target, 1);
      else if (first >= 32) at = mayResize ? this.#resize(block, at, end, first) : -1;
      else at = this.#literal(block, at, end, first & 15, 15, target, first >= 16 ? 2 : 0);
      if (at < 0) return false;
      if (first < 32 || first >= 64) mayResize = false;
    }
    return true;
  }

  #indexed(block: Buffer, at: number, end: number, first: number, target: HeadAssembly): number {
    let index = first & 127;
    if (index === 127) {
      readRest(this.#cursor, block, at, end, 127);
      index = this.#cursor.value;
      at = this.#cursor.at;
      if (at < 0) return -1;
    }
    if (index === 0) return -1;
    if (index <= staticCount) {
      const nameLength = staticNameLengths[index] as number;
      const valueLength = staticValueLengths[index] as number;
      const from = staticStarts[index] as number;
      const lineBytes = nameLength + valueLength + 4;
      target.reserve(lineBytes, 0);
      copyBytes(staticBytes, from, from + lineBytes, target.buf, target.at);
      target.add(nameLength, valueLength, staticKinds[index] as number, false);
      return at;
    }
    const { table } = this;
    const n = table.inserted - (index - staticCount) + 1;
    if (!table.has(n)) return -1;
    const nameLength = table.nameLengthOf(n);
    const valueLength = table.valueLengthOf(n);
    const from = table.startOf(n);
    const lineBytes = nameLength + valueLength + 4;
    target.reserve(lineBytes, 0);
    copyBytes(table.bytes, from, from + lineBytes, target.buf, target.at);
    target.add(nameLength, valueLength, table.metaOf(n), false);
    return at;
  }

  /** @param indexing 0 without, 1 incremental, 2 never */
  #literal(
    block: Buffer,
    at: number,
    end: number,
    index: number,
    prefix: number,
    target: HeadAssembly,
    indexing: number,
  ): number {
    if (index === prefix) {
      readRest(this.#cursor, block, at, end, prefix);
      index = this.#cursor.value;
      at = this.#cursor.at;
      if (at < 0) return -1;
    }
    const nameLength = index === 0 ? this.#string(block, at, end, target, 0) : this.#name(index, target);
    if (nameLength < 0) return -1;
    const kind = index === 0 ? kindOf(target.buf, target.at, target.at + nameLength) : this.#cursor.value;
    if (index === 0) at = this.#cursor.at;
    const valueLength = this.#string(block, at, end, target, nameLength + 2);
    if (valueLength < 0) return -1;
    at = this.#cursor.at;
    const { buf, at: start } = target;
    const valueStart = start + nameLength + 2;
    const valueEnd = valueStart + valueLength;
    buf[valueStart - 2] = 58;
    buf[valueStart - 1] = 32;
    buf[valueEnd] = 13;
    buf[valueEnd + 1] = 10;
    const meta = kind | (flagsOfValue(buf, valueStart, valueEnd) << 8);
    target.add(nameLength, valueLength, meta, indexing === 2);
    if (indexing === 1) this.table.add(buf, start, nameLength, valueLength, meta);
    return at;
  }

  /** Copies the name of a table entry; its length, or -1. The kind is in `#cursor.value`. */
  #name(index: number, target: HeadAssembly): number {
    if (index <= staticCount) {
      const from = staticStarts[index] as number;
      const length = staticNameLengths[index] as number;
      target.reserve(length, 0);
      copyBytes(staticBytes, from, from + length, target.buf, target.at);
      this.#cursor.value = staticKinds[index] as number;
      return length;
    }
    const { table } = this;
    const n = table.inserted - (index - staticCount) + 1;
    if (!table.has(n)) return -1;
    const from = table.startOf(n);
    const length = table.nameLengthOf(n);
    target.reserve(length, 0);
    copyBytes(table.bytes, from, from + length, target.buf, target.at);
    this.#cursor.value = table.metaOf(n) & 255;
    return length;
  }

  /**
   * A string literal (§5.2) goes `offset` behind where the line begins; its length, or -1. `#cursor.at` is where the
   * block goes on.
   */
  #string(block: Buffer, at: number, end: number, target: HeadAssembly, offset: number): number {
    if (at >= end) return -1;
    const first = block[at++] as number;
    let length = first & 127;
    if (length === 127) {
      readRest(this.#cursor, block, at, end, 127);
      length = this.#cursor.value;
      at = this.#cursor.at;
      if (at < 0) return -1;
    }
    const stop = at + length;
    if (stop > end) return -1;
    this.#cursor.at = stop;
    // The shortest code has five bits; two bytes more end the line.
    target.reserve(offset + (first >= 128 ? Math.ceil(length * 1.6) : length) + 2, offset);
    const to = target.at + offset;
    if (first < 128) return copyBytes(block, at, stop, target.buf, to) - to;
    const decoded = huffmanDecode(block, at, stop, target.buf, to);
    return decoded < 0 ? -1 : decoded - to;
  }

  #resize(block: Buffer, at: number, end: number, first: number): number {
    let size = first & 31;
    if (size === 31) {
      readRest(this.#cursor, block, at, end, 31);
      size = this.#cursor.value;
      at = this.#cursor.at;
      if (at < 0) return -1;
    }
    if (size > this.#allowedBytes) return -1;
    this.table.resize(size);
    return at;
  }
}
