import { copyBytes } from '../../../../core/base/bytes.ts';
import { lowerByte } from '../../../../core/base/header-field.ts';
import { FieldKind } from '../field-kind.ts';
import { KnownBlocks } from '../known-blocks.ts';
import { DynamicTable, type TableState } from './dynamic-table.ts';
import { huffmanEncode, huffmanLength } from './huffman.ts';
import { writeInteger } from './integer.ts';
import { hashSeed, hashStep, staticCount, staticIndexOf } from './static-table.ts';

/** The table is never larger than this, whatever the peer would allow. */
const largestTableBytes = 4096;
/** Fields with longer values are sent as they are and not looked up: hashing costs 1 ns a byte. */
const longestIndexed = 512;
const places = 128;
/** Static indexes of names whose values never enter a table (RFC 7541 §7.1.3): crumbs and credentials. */
const secret: ReadonlySet<number> = new Set([23, 32, 49, 55]);
const nothing: Buffer = Buffer.alloc(0);
const noPlaces: Int32Array = new Int32Array(0);

export interface EncoderState {
  readonly table: TableState;
  readonly smallestBytes: number;
  readonly nextBytes: number;
}

/** Bytes that a field can take beyond its name and value: two lengths and an index. */
export const fieldOverheadBytes = 16;

/**
 * A header encoder (RFC 7541) of one connection. What comes twice within a short time enters the table, so that ids,
 * dates and paths that never come again do not push out what does; a table entry makes of a field one or two bytes.
 */
export class HpackEncoder {
  readonly table: DynamicTable = new DynamicTable(largestTableBytes);
  readonly known: KnownBlocks = new KnownBlocks();
  readonly #huffman: boolean;
  /** The field that is being written. */
  #name: Buffer = nothing;
  #nameStart = 0;
  #nameEnd = 0;
  #value: Buffer = nothing;
  #valueStart = 0;
  #valueEnd = 0;
  /** Entry number by the hash of name and value; one that is not there any more does not pass `table.has`. */
  #numbers: Int32Array = noPlaces;
  /** Hashes of literals sent lately. */
  #seen: Int32Array = noPlaces;
  /** Size updates to send before the next block: the smallest since the last, and the last (§4.2). */
  #smallestBytes = -1;
  #nextBytes = -1;

  constructor(huffman: boolean) {
    this.#huffman = huffman;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  allow(maxBytes: number): void {
    const size = Math.min(maxBytes, largestTableBytes);
    if (size === this.table.maxBytes) return;
    this.table.resize(size);
    this.#smallestBytes = this.#smallestBytes < 0 ? size : Math.min(this.#smallestBytes, size);
    this.#nextBytes = size;
  }

  /** What has been sent lately is forgotten by a move; the table is not. */
  export(): EncoderState {
    return { table: this.table.export(), smallestBytes: this.#smallestBytes, nextBytes: this.#nextBytes };
  }

  import(state: EncoderState): void {
    this.table.import(state.table);
    this.#smallestBytes = state.smallestBytes;
    this.#nextBytes = state.nextBytes;
  }

  /** Begins a block; returns the offset where its fields go. */
  begin(target: Buffer, at: number): number {
    if (this.#nextBytes < 0) return at;
    if (this.#smallestBytes < this.#nextBytes) at = writeInteger(target, at, this.#smallestBytes, 5, 32);
    at = writeInteger(target, at, this.#nextBytes, 5, 32);
    this.#smallestBytes = this.#nextBytes = -1;
    return at;
  }

  /** A field that stands in the static table as a whole. */
  indexed(target: Buffer, at: number, index: number): number {
    target[at] = 128 | index;
    return at + 1;
  }

  /**
   * Writes a field; the name may have capitals. `target` has room for it and `fieldOverheadBytes`.
   * @returns the offset behind it
   */
  field(
    target: Buffer,
    at: number,
    name: Buffer,
    nameStart: number,
    nameEnd: number,
    value: Buffer,
    valueStart: number,
    valueEnd: number,
    isNeverIndexed: boolean,
  ): number {
    this.#name = name;
    this.#nameStart = nameStart;
    this.#nameEnd = nameEnd;
    this.#value = value;
    this.#valueStart = valueStart;
    this.#valueEnd = valueEnd;
    let hash = hashSeed;
    let hasCapital = 0;
    for (let i = nameStart; i < nameEnd; i++) {
      const byte = name[i] as number;
      const lower = lowerByte[byte] as number;
      hasCapital |= byte ^ lower;
      hash = hashStep(hash, lower);
    }
    if (hasCapital !== 0) this.#lowerName();
    const nameIndex = staticIndexOf(hash, this.#name, this.#nameStart, nameEnd - nameStart);
    if (isNeverIndexed || secret.has(nameIndex)) return this.#literal(target, at, 16, 4, nameIndex);
    if (valueEnd - valueStart > longestIndexed || this.table.maxBytes === 0) {
      return this.#literal(target, at, 0, 4, nameIndex);
    }
    for (let i = valueStart; i < valueEnd; i++) hash = hashStep(hash, value[i] as number);
    hash ^= hash >>> 15;
    const place = hash & (places - 1);
    if (this.#numbers.length > 0) {
      const n = this.#numbers[place] as number;
      if (this.table.has(n) && this.#isEntry(n)) {
        return writeInteger(target, at, this.table.inserted - n + 1 + staticCount, 7, 128);
      }
    }
    if (!this.#isSecondSight(hash, place)) return this.#literal(target, at, 0, 4, nameIndex);
    this.#add(place);
    return this.#literal(target, at, 64, 6, nameIndex);
  }

  /** A field without look-up and without a trace in the table: `nameIndex` of the static table. */
  unindexed(
    target: Buffer,
    at: number,
    nameIndex: number,
    value: Buffer,
    start: number,
    end: number,
  ): number {
    this.#value = value;
    this.#valueStart = start;
    this.#valueEnd = end;
    return this.#literal(target, at, 0, 4, nameIndex);
  }

  /** Names from HTTP/1 and from filters may have capitals; rare enough for a copy. */
  #lowerName(): void {
    const text = this.#name.toString('latin1', this.#nameStart, this.#nameEnd).toLowerCase();
    this.#name = Buffer.from(text, 'latin1');
    this.#nameStart = 0;
    this.#nameEnd = text.length;
  }

  #isSecondSight(hash: number, place: number): boolean {
    if (this.#seen.length === 0) this.#seen = new Int32Array(places);
    if (this.#seen[place] === hash) return true;
    this.#seen[place] = hash;
    return false;
  }

  #add(place: number): void {
    if (this.#numbers.length === 0) this.#numbers = new Int32Array(places);
    const valueLength = this.#valueEnd - this.#valueStart;
    const { table } = this;
    table.addParts(
      this.#name,
      this.#nameStart,
      this.#nameEnd - this.#nameStart,
      this.#value,
      this.#valueStart,
      valueLength,
      FieldKind.plain,
    );
    this.#numbers[place] = table.inserted;
  }

  #isEntry(n: number): boolean {
    const { table } = this;
    const nameLength = this.#nameEnd - this.#nameStart;
    const valueLength = this.#valueEnd - this.#valueStart;
    if (table.nameLengthOf(n) !== nameLength || table.valueLengthOf(n) !== valueLength) return false;
    const { bytes } = table;
    const line = table.startOf(n);
    if (!isSame(bytes, line, this.#name, this.#nameStart, nameLength)) return false;
    return isSame(bytes, line + nameLength + 2, this.#value, this.#valueStart, valueLength);
  }

  #literal(target: Buffer, at: number, first: number, bits: number, nameIndex: number): number {
    at = writeInteger(target, at, nameIndex, bits, first);
    if (nameIndex === 0) {
      at = this.#string(target, at, this.#name, this.#nameStart, this.#nameEnd);
    }
    return this.#string(target, at, this.#value, this.#valueStart, this.#valueEnd);
  }

  #string(target: Buffer, at: number, src: Buffer, start: number, end: number): number {
    if (this.#huffman) {
      const length = huffmanLength(src, start, end);
      if (length < end - start) {
        return huffmanEncode(src, start, end, target, writeInteger(target, at, length, 7, 128));
      }
    }
    return copyBytes(src, start, end, target, writeInteger(target, at, end - start, 7, 0));
  }
}

function isSame(a: Buffer, aStart: number, b: Buffer, bStart: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}
