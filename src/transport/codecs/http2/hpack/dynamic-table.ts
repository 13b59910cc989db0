import { copyBytes } from '../../../../core/base/bytes.ts';

const nothing: Buffer = Buffer.alloc(0);
const firstBytes = 512;
const firstPlaces = 16;
/** RFC 7541 §4.1. */
const entryOverheadBytes = 32;
const none: readonly number[] = [];

/** Entries as name, value, meta. */
export interface TableState {
  readonly maxBytes: number;
  readonly entries: readonly (readonly [string, string, number])[];
}

/**
 * A dynamic table of RFC 7541 §2.3.2. Entries stand as `name: value\r\n` one behind the other in one buffer, which
 * appears with the first entry; entry number n (counted from 1 for the life of the connection) has its facts at
 * `n & mask` of plain arrays.
 */
export class DynamicTable {
  /** As RFC 7541 counts: bytes of names and values, and 32 for each entry. */
  sizeBytes = 0;
  maxBytes: number;
  count = 0;
  /** Entries ever added; index 1 is number `inserted`. */
  inserted = 0;
  /** Changes whenever an index may mean something else. */
  version = 0;
  bytes: Buffer = nothing;
  #end = 0;
  #mask = 0;
  #starts: number[] = none as number[];
  #nameLengths: number[] = none as number[];
  #valueLengths: number[] = none as number[];
  #metas: number[] = none as number[];

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Offset of the line of entry number `n` in `bytes`. */
  startOf(n: number): number {
    return this.#starts[n & this.#mask] as number;
  }

  nameLengthOf(n: number): number {
    return this.#nameLengths[n & this.#mask] as number;
  }

  valueLengthOf(n: number): number {
    return this.#valueLengths[n & this.#mask] as number;
  }

  /** Whatever the owner keeps beside an entry. */
  metaOf(n: number): number {
    return this.#metas[n & this.#mask] as number;
  }

  /** Is entry number `n` still there? */
  has(n: number): boolean {
    return n > this.inserted - this.count && n <= this.inserted;
  }

  resize(maxBytes: number): void {
    this.maxBytes = maxBytes;
    this.version++;
    this.#evict(0);
  }

  /** Adds the line `name: value\r\n` at `start`; one that is too large empties the table (§4.4). */
  add(buf: Buffer, start: number, nameLength: number, valueLength: number, meta: number): void {
    this.addParts(buf, start, nameLength, buf, start + nameLength + 2, valueLength, meta);
  }

  /** As `add`, from a name and a value that stand apart. */
  addParts(
    name: Buffer,
    nameStart: number,
    nameLength: number,
    value: Buffer,
    valueStart: number,
    valueLength: number,
    meta: number,
  ): void {
    const size = nameLength + valueLength + entryOverheadBytes;
    this.version++;
    this.#evict(size);
    if (size > this.maxBytes) return;
    this.#makeRoom(nameLength + valueLength + 4);
    const place = ++this.inserted & this.#mask;
    this.#starts[place] = this.#end;
    this.#nameLengths[place] = nameLength;
    this.#valueLengths[place] = valueLength;
    this.#metas[place] = meta;
    const { bytes } = this;
    let at = copyBytes(name, nameStart, nameStart + nameLength, bytes, this.#end);
    bytes[at++] = 58;
    bytes[at++] = 32;
    at = copyBytes(value, valueStart, valueStart + valueLength, bytes, at);
    bytes[at++] = 13;
    bytes[at++] = 10;
    this.#end = at;
    this.count++;
    this.sizeBytes += size;
  }

  /** Plain data for a move to another process: entries from the oldest on. */
  export(): TableState {
    const entries: TableState['entries'][number][] = [];
    for (let n = this.inserted - this.count + 1; n <= this.inserted; n++) {
      const nameEnd = this.startOf(n) + this.nameLengthOf(n);
      const name = this.bytes.toString('latin1', this.startOf(n), nameEnd);
      const value = this.bytes.toString('latin1', nameEnd + 2, nameEnd + 2 + this.valueLengthOf(n));
      entries.push([name, value, this.metaOf(n)]);
    }
    return { maxBytes: this.maxBytes, entries };
  }

  import(state: TableState): void {
    this.maxBytes = state.maxBytes;
    for (const [name, value, meta] of state.entries) {
      this.add(Buffer.from(`${name}: ${value}\r\n`, 'latin1'), 0, name.length, value.length, meta);
    }
  }

  #evict(neededBytes: number): void {
    while (this.count > 0 && this.sizeBytes + neededBytes > this.maxBytes) {
      const oldest = this.inserted - this.count + 1;
      this.sizeBytes -= this.nameLengthOf(oldest) + this.valueLengthOf(oldest) + entryOverheadBytes;
      this.count--;
    }
    if (this.count === 0) this.#end = 0;
  }

  #makeRoom(lineLength: number): void {
    if (this.count > this.#mask || this.#starts.length === 0) this.#growPlaces();
    if (this.#end + lineLength <= this.bytes.length) return;
    const from = this.count === 0 ? 0 : this.startOf(this.inserted - this.count + 1);
    const live = this.#end - from;
    // Twice what lives, so that moving it costs a copy of each byte added, at most.
    const larger =
      (live + lineLength) * 2 > this.bytes.length
        ? Buffer.allocUnsafeSlow(Math.max(firstBytes, (live + lineLength) * 2))
        : this.bytes;
    this.bytes.copy(larger, 0, from, this.#end);
    this.bytes = larger;
    this.#end = live;
    for (let n = this.inserted - this.count + 1; n <= this.inserted; n++) {
      const place = n & this.#mask;
      this.#starts[place] = (this.#starts[place] as number) - from;
    }
  }

  #growPlaces(): void {
    const places = Math.max(firstPlaces, this.#starts.length * 2);
    const moved = (before: readonly number[]): number[] => {
      const after = new Array<number>(places).fill(0);
      for (let n = this.inserted - this.count + 1; n <= this.inserted; n++) {
        after[n & (places - 1)] = before[n & this.#mask] as number;
      }
      return after;
    };
    this.#starts = moved(this.#starts);
    this.#nameLengths = moved(this.#nameLengths);
    this.#valueLengths = moved(this.#valueLengths);
    this.#metas = moved(this.#metas);
    this.#mask = places - 1;
  }
}
