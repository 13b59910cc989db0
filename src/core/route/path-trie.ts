import {
  hasCells,
  hasExact,
  hasPrefix,
  hasSegment,
  isDense,
  layOut,
  leafExact,
  leafList,
  leafPrefix,
  type PathTree,
} from './path-trie-layout.ts';

/** How a literal in the trie is matched. */
export type LiteralKind = 'exact' | 'prefix' | 'segment';

export interface TrieEntry {
  readonly kind: LiteralKind;
  /** Path bytes as characters U+0000 to U+00FF; "" with kind prefix or segment is every path. */
  readonly literal: string;
  /** Position of the route: the smallest that matches wins. */
  readonly index: number;
  /** The literal decides alone; otherwise conditions must be looked at. */
  readonly isFinal: boolean;
}

const slash = 47;
const question = 63;
const noRoute = 0x7fffffff;
/** Up to so many children are looked through from first to last. */
const linearChildren = 16;

/**
 * A compressed byte trie over all paths and prefixes of one virtual host, in one typed array (path-trie-layout.ts). One
 * walk along the path meets every literal that can match, so the cost follows the length of the path and not the number
 * of routes. What a step needs stands together and leaves stand in their parents, so that a walk touches one or two
 * cache lines a node: 50,000 routes take 0.8 MiB. Routes that depend on more than the path are collected for the caller,
 * who keeps first-match order.
 */
export class PathTrie {
  readonly #words: Int32Array;
  /** The same memory. */
  readonly #bytes: Uint8Array;
  /** Conditional candidates, ascending, each list ended by its first final one. */
  readonly conditional: readonly Int32Array[];
  /** Conditional candidates met by the last walk: 2 n for list n, 2 i + 1 for route i. */
  readonly met: number[] = [];
  metCount = 0;

  constructor(entries: readonly TrieEntry[]) {
    const tree: PathTree = layOut(entries);
    this.#words = tree.words;
    this.#bytes = new Uint8Array(tree.words.buffer, 0, tree.words.byteLength);
    this.conditional = tree.conditional;
  }

  /**
   * Walks along `buf[start, end)`, which a "?" may end early.
   * @returns the smallest final route, or 0x7fffffff; `met[0, metCount)` has the conditional candidates
   */
  walk(buf: Uint8Array, start: number, end: number): number {
    const words = this.#words;
    const bytes = this.#bytes;
    let best = noRoute;
    let at = start;
    let node = 0;
    this.metCount = 0;
    for (;;) {
      const header = words[node] as number;
      const labelLength = header & 0xff;
      let word = node + 1;
      if (labelLength > 0) {
        if (labelLength > end - at) return best;
        let label = word << 2;
        for (const labelEnd = label + labelLength; label < labelEnd; ) {
          if (bytes[label++] !== buf[at++]) return best;
        }
        word += (labelLength + 3) >> 2;
      }
      const byte = at < end ? (buf[at] as number) : question;
      if ((header & hasCells) !== 0) {
        if ((header & hasPrefix) !== 0) best = this.#meet(words[word++] as number, best);
        if ((header & hasSegment) !== 0) {
          if (byte === question || byte === slash) best = this.#meet(words[word] as number, best);
          word++;
        }
        if ((header & hasExact) !== 0) {
          if (byte === question) best = this.#meet(words[word] as number, best);
          word++;
        }
      }
      if (byte === question) return best;
      const child = this.#child(header, word, byte);
      if (child <= 0) return child === 0 ? best : this.#leaf(child, buf, at + 1, end, best);
      node = child;
      at++;
    }
  }

  /** A cell is a final route, or -1 - c for candidates c. */
  #meet(cell: number, best: number): number {
    if (cell >= 0) return cell < best ? cell : best;
    this.met[this.metCount++] = -1 - cell;
    return best;
  }

  #leaf(child: number, buf: Uint8Array, at: number, end: number, best: number): number {
    const code = -1 - child;
    const kind = code & 3;
    const byte = at < end ? (buf[at] as number) : question;
    if (kind !== leafPrefix && byte !== question && (kind === leafExact || byte !== slash)) return best;
    const value = code >> 3;
    return this.#meet((code & leafList) === 0 ? value : -1 - value, best);
  }

  /** Offset of the child for `byte`, a leaf, or 0. */
  #child(header: number, word: number, byte: number): number {
    const words = this.#words;
    const count = (header >>> 8) & 0x1ff;
    if ((header & isDense) !== 0) {
      const position = byte - (header >>> 24);
      return position >= 0 && position < count ? (words[word + position] as number) : 0;
    }
    const bytes = this.#bytes;
    const keys = word << 2;
    let low = 0;
    let high = count;
    while (high - low > linearChildren) {
      const middle = (low + high) >> 1;
      if ((bytes[keys + middle] as number) <= byte) low = middle;
      else high = middle;
    }
    for (; low < high; low++) {
      if (bytes[keys + low] === byte) return words[word + ((count + 3) >> 2) + low] as number;
    }
    return 0;
  }
}
