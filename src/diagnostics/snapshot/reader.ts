import { createReadStream } from 'node:fs';
import { HeddleError } from '../../core/base/errors.ts';
import { HeapGraph, type SnapshotMeta } from './graph.ts';

export interface ReadOptions {
  /** Bytes read from the file at once. @default 1048576 */
  readonly chunkBytes?: number;
}

/**
 * Reads a `.heapsnapshot` file as a stream: the text is never in memory as a whole, numbers go straight into typed
 * arrays of the size that the header announces. About 17 bytes a node and edge; 150 MB of text take 1 to 2 s.
 * @throws HeddleError ERR_SNAPSHOT_INVALID when the file is no heap snapshot or ends early.
 */
export async function readSnapshot(path: string, options: ReadOptions = {}): Promise<HeapGraph> {
  const parser = new SnapshotParser(path);
  const highWaterMark = options.chunkBytes ?? 1 << 20;
  for await (const chunk of createReadStream(path, { highWaterMark })) parser.feed(chunk as Buffer);
  return parser.end();
}

const maxHeaderBytes = 1 << 20;
const maxCount = 2 ** 28;
const quote = 0x22;
const backslash = 0x5c;

interface Section {
  feed(chunk: Buffer, at: number): number;
  readonly isDone: boolean;
}

/** header, then `"name":[...]` sections in the order V8 writes them; unknown ones are passed over. */
class SnapshotParser {
  readonly #path: string;
  #header: Buffer = Buffer.alloc(0);
  #graph: HeapGraph | undefined;
  #section: Section | undefined;
  #key = '';
  readonly #seen = new Set<string>();

  constructor(path: string) {
    this.#path = path;
  }

  feed(chunk: Buffer): void {
    let at = 0;
    let bytes = chunk;
    if (this.#graph === undefined) {
      bytes = Buffer.concat([this.#header, chunk]);
      at = this.#readHeader(bytes);
      if (this.#graph === undefined) return;
    }
    while (at < bytes.length) {
      at = this.#section === undefined ? this.#readKey(bytes, at) : this.#section.feed(bytes, at);
      if (this.#section?.isDone === true) this.#section = undefined;
    }
  }

  end(): HeapGraph {
    for (const needed of ['nodes', 'edges', 'locations', 'strings']) {
      if (!this.#seen.has(needed)) throw this.#invalid(`it has no "${needed}"`);
    }
    if (this.#section !== undefined || this.#graph === undefined) throw this.#invalid('it ends early');
    this.#graph.seal();
    return this.#graph;
  }

  /** The object after `"snapshot":`, found by its braces (its strings hold none). */
  #readHeader(bytes: Buffer): number {
    const open = '{"snapshot":';
    if (bytes.length >= open.length && bytes.toString('latin1', 0, open.length) !== open) {
      throw this.#invalid('it does not begin with {"snapshot":');
    }
    let depth = 0;
    for (let at = open.length; at < bytes.length; at++) {
      if (bytes[at] === 0x7b) depth++;
      else if (bytes[at] === 0x7d && --depth === 0) {
        this.#graph = this.#startGraph(bytes.toString('utf8', open.length, at + 1));
        return at + 1;
      }
    }
    if (bytes.length > maxHeaderBytes) throw this.#invalid('its header is longer than 1 MiB');
    this.#header = bytes;
    return bytes.length;
  }

  #startGraph(header: string): HeapGraph {
    try {
      const { meta, node_count: nodes, edge_count: edges } = JSON.parse(header);
      if (!(nodes > 0 && nodes < maxCount && edges >= 0 && edges < maxCount)) {
        throw this.#invalid(`${nodes} nodes and ${edges} edges are out of bounds`);
      }
      return new HeapGraph(meta as SnapshotMeta, nodes, edges);
    } catch (thrown) {
      throw HeddleError.from(thrown, 'ERR_SNAPSHOT_INVALID', { path: this.#path });
    }
  }

  #readKey(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte !== 0x5b /* [ */) {
        if (this.#key.length < 64) this.#key += String.fromCharCode(byte);
        continue;
      }
      const name = /"(\w+)":$/.exec(this.#key.trim())?.[1] ?? '';
      this.#key = '';
      this.#seen.add(name);
      this.#section = this.#sectionOf(name);
      return at + 1;
    }
    return bytes.length;
  }

  #sectionOf(name: string): Section {
    const graph = this.#graph as HeapGraph;
    if (name === 'nodes') return new NumberSection((index, value) => graph.setNodeField(index, value));
    if (name === 'edges') return new NumberSection((index, value) => graph.setEdgeField(index, value));
    if (name === 'locations')
      return new NumberSection((index, value) => graph.setLocationField(index, value));
    if (name === 'strings') return new StringSection((raw) => graph.addString(raw));
    return new NumberSection(() => {});
  }

  #invalid(reason: string): HeddleError {
    return new HeddleError('ERR_SNAPSHOT_INVALID', `${this.#path}: ${reason}`);
  }
}

/** A (possibly nested) array of integers without a sign. */
class NumberSection implements Section {
  isDone = false;
  readonly #take: (index: number, value: number) => void;
  #index = 0;
  #value = 0;
  #hasDigit = false;
  #depth = 1;

  constructor(take: (index: number, value: number) => void) {
    this.#take = take;
  }

  feed(chunk: Buffer, from: number): number {
    let value = this.#value;
    let hasDigit = this.#hasDigit;
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (byte >= 0x30 && byte <= 0x39) {
        value = value * 10 + byte - 0x30;
        hasDigit = true;
        continue;
      }
      if (hasDigit) {
        this.#take(this.#index++, value);
        value = 0;
        hasDigit = false;
      }
      if (byte === 0x5b) this.#depth++;
      else if (byte === 0x5d && --this.#depth === 0) {
        this.isDone = true;
        return at + 1;
      }
    }
    this.#value = value;
    this.#hasDigit = hasDigit;
    return chunk.length;
  }
}

/** An array of JSON strings, given on as raw bytes between their quotes. */
class StringSection implements Section {
  isDone = false;
  readonly #take: (raw: Buffer) => void;
  #carry: Buffer | undefined;
  #isInside = false;
  #isEscaped = false;

  constructor(take: (raw: Buffer) => void) {
    this.#take = take;
  }

  feed(chunk: Buffer, from: number): number {
    let start = from;
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at];
      if (!this.#isInside) {
        if (byte === quote) {
          this.#isInside = true;
          start = at + 1;
        } else if (byte === 0x5d) {
          this.isDone = true;
          return at + 1;
        }
      } else if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === backslash) this.#isEscaped = true;
      else if (byte === quote) {
        const piece = chunk.subarray(start, at);
        this.#take(this.#carry === undefined ? piece : Buffer.concat([this.#carry, piece]));
        this.#carry = undefined;
        this.#isInside = false;
      }
    }
    if (this.#isInside) {
      const piece = chunk.subarray(start);
      this.#carry = this.#carry === undefined ? Buffer.from(piece) : Buffer.concat([this.#carry, piece]);
    }
    return chunk.length;
  }
}
