import type { HeadView } from '../../../core/base/head-view.ts';
import { HeadTemplate } from './head-template.ts';
import type { DynamicTable } from './hpack/dynamic-table.ts';

const places = 8;
/** Longer blocks are decoded each time: hashing and comparing them is work, too. */
const longestBlock = 256;

interface Entry {
  readonly block: Buffer;
  /** Of the decoder's table when the block meant this. */
  readonly version: number;
  readonly template: HeadTemplate;
}

/**
 * Header blocks that came lately and what they mean: clients send the same bytes again and again once their table is
 * warm, servers do within a second. A hit costs a hash and a compare, about 0.1 us, where decoding and judging cost
 * 0.6 to 1. Only what comes twice is kept, and only blocks that leave the table as it is; bounded to 8 a connection.
 */
export class BlockCache {
  #entries: (Entry | null)[] | null = null;
  #hashes: Int32Array | null = null;
  #place = -1;
  #isSecond = false;

  /** Makes `head` what the block means, if that is known. Remembers the place for `keep`. */
  take(head: HeadView, block: Buffer, start: number, end: number, table: DynamicTable): boolean {
    this.#place = -1;
    if (end - start > longestBlock) return false;
    // FNV-1a.
    let hash = end - start;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ (block[at] as number), 16_777_619);
    const place = (hash ^ (hash >>> 15)) & (places - 1);
    this.#place = place;
    const entry = this.#entries === null ? null : (this.#entries[place] as Entry | null);
    if (entry !== null && entry.version === table.version && isSame(entry.block, block, start, end)) {
      entry.template.applyTo(head);
      return true;
    }
    this.#hashes ??= new Int32Array(places);
    this.#isSecond = this.#hashes[place] === hash;
    this.#hashes[place] = hash;
    return false;
  }

  /** The block that `take` did not know was decoded to `head`, which left the table at `version` untouched. */
  keep(head: HeadView, block: Buffer, start: number, end: number, version: number): void {
    if (this.#place < 0 || !this.#isSecond) return;
    this.#entries ??= new Array<Entry | null>(places).fill(null);
    this.#entries[this.#place] = {
      block: Buffer.from(block.subarray(start, end)),
      version,
      template: new HeadTemplate(head),
    };
  }

  /** Idle connections hold none. */
  clear(): void {
    this.#entries = null;
    this.#hashes = null;
  }
}

function isSame(known: Buffer, block: Buffer, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== block[start + i]) return false;
  return true;
}
