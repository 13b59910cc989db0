import type { LiteralKind, TrieEntry } from './path-trie.ts';

/** Header bits: 0 to 7 label length, 8 to 16 number of children, 17 to 20 flags, 24 to 31 the first key where it is dense. */
export const hasPrefix: number = 1 << 17;
export const hasSegment: number = 1 << 18;
export const hasExact: number = 1 << 19;
export const hasCells: number = hasPrefix | hasSegment | hasExact;
export const isDense: number = 1 << 20;

/** Kinds of a leaf, bits 0 and 1 of its code; `leafList`: it has candidates and not a final route. */
export const leafPrefix = 0;
export const leafExact = 2;
export const leafList = 4;
const kinds: readonly LiteralKind[] = ['prefix', 'segment', 'exact'];
const cellFlags = [hasPrefix, hasSegment, hasExact];

const maxLabel = 255;

/**
 * A tree in words of 32 bits, each node in front of its children:
 *
 *   header | label, its first byte left out, 4 a word | cells: prefix? segment? exact? | keys, 4 a word | children
 *
 * The keys are the first label bytes of the children, ascending. Where they lie close together (digits) there are none:
 * the first stands in the header, and the children of bytes between them are 0. A cell is a final route, or -1 - c for
 * conditional candidates c: 2 n for list n, 2 i + 1 for route i alone. A child is its offset, or negative: a leaf with
 * one cell and no label, -1 - (route or candidates << 3 | leaf bits).
 */
export interface PathTree {
  readonly words: Int32Array;
  readonly conditional: readonly Int32Array[];
}

export function layOut(entries: readonly TrieEntry[]): PathTree {
  const root = createNode('');
  for (const entry of entries) insert(root, entry);
  const layout = new Layout(root);
  return { words: layout.finish(), conditional: layout.conditional };
}

class Layout {
  readonly conditional: Int32Array[] = [];
  #words: Int32Array = new Int32Array(1024);
  #length = 0;

  /** Depth first, without recursion: prefixes may be nested as deep as a path is long. */
  constructor(root: Node) {
    const open: Placing[] = [{ node: root, skipped: 0, offsetAt: -1 }];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next.offsetAt >= 0) this.#words[next.offsetAt] = this.#length;
      const inner = this.#place(next.node, next.skipped);
      for (let i = inner.length - 1; i >= 0; i--) open.push(inner[i] as Placing);
    }
  }

  /** @returns the children that are to be placed yet */
  #place(node: Node, skipped: number): Placing[] {
    const keys = [...node.children.keys()].sort((a, b) => a - b);
    const first = keys[0] ?? 0;
    const span = keys.length === 0 ? 0 : (keys.at(-1) as number) - first + 1;
    const dense = keys.length > 0 && span <= keys.length * 2 + 2;
    const label = node.label.slice(skipped);
    const cells = kinds.map((kind) => this.#cell(node[kind]));
    const flags = cellFlags.reduce((all, flag, index) => (cells[index] === null ? all : all | flag), 0);
    const count = dense ? span : keys.length;
    const key = dense ? isDense | (first << 24) : 0;
    this.#push(label.length | (count << 8) | flags | key);
    this.#pushBytes([...label].map((char) => char.charCodeAt(0)));
    for (const cell of cells) if (cell !== null) this.#push(cell);
    if (!dense) this.#pushBytes(keys);
    const children = this.#length;
    for (let i = 0; i < count; i++) this.#push(0);
    return keys.flatMap((byte, index) => {
      const child = node.children.get(byte) as Node;
      const offsetAt = children + (dense ? byte - first : index);
      const leaf = this.#leaf(child);
      if (leaf !== 0) this.#words[offsetAt] = leaf;
      return leaf === 0 ? [{ node: child, skipped: 1, offsetAt }] : [];
    });
  }

  /** What stands in the parent instead of a node that is no more than one cell; 0 for any other. */
  #leaf(node: Node): number {
    const used = kinds.filter((kind) => node[kind].length > 0);
    const kind = used[0];
    if (kind === undefined || used.length > 1 || node.children.size > 0 || node.label.length > 1) return 0;
    const cell = this.#cell(node[kind]) as number;
    const value = cell >= 0 ? cell << 3 : ((-1 - cell) << 3) | leafList;
    return -1 - (value | kinds.indexOf(kind));
  }

  finish(): Int32Array {
    return this.#words.slice(0, this.#length);
  }

  #push(word: number): void {
    if (this.#length === this.#words.length) {
      const larger = new Int32Array(this.#length * 2);
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words[this.#length++] = word;
  }

  #pushBytes(bytes: readonly number[]): void {
    const from = this.#length;
    for (let i = 0; i < bytes.length; i += 4) this.#push(0);
    const view = new Uint8Array(this.#words.buffer);
    view.set(bytes, from * 4);
  }

  #cell(entries: readonly TrieEntry[]): number | null {
    const sorted = entries.toSorted((a, b) => a.index - b.index);
    const first = sorted[0];
    if (first === undefined) return null;
    if (first.isFinal) return first.index;
    // What stands behind a final route can never be reached from here.
    const final = sorted.findIndex((entry) => entry.isFinal);
    const reachable = final < 0 ? sorted : sorted.slice(0, final + 1);
    if (reachable.length === 1) return -2 - first.index * 2;
    this.conditional.push(Int32Array.from(reachable, (entry) => entry.index));
    return 1 - this.conditional.length * 2;
  }
}

interface Placing {
  readonly node: Node;
  /** Label bytes that the parent's key stands for. */
  readonly skipped: number;
  /** Where the parent keeps the offset; -1 for the root. */
  readonly offsetAt: number;
}

interface Node extends Readonly<Record<LiteralKind, TrieEntry[]>> {
  label: string;
  readonly children: Map<number, Node>;
}

function createNode(label: string): Node {
  return { label, children: new Map(), exact: [], prefix: [], segment: [] };
}

function insert(root: Node, entry: TrieEntry): void {
  let node = root;
  let rest = entry.literal;
  while (rest !== '') {
    const child = node.children.get(rest.charCodeAt(0));
    if (child === undefined) {
      node = addLeaf(node, rest);
      break;
    }
    const common = commonLength(child.label, rest);
    if (common < child.label.length) split(node, child, common);
    node = node.children.get(rest.charCodeAt(0)) as Node;
    rest = rest.slice(common);
  }
  node[entry.kind].push(entry);
}

/** A label that is too long for one node becomes a chain. */
function addLeaf(parent: Node, label: string): Node {
  const leaf = createNode(label.slice(0, maxLabel));
  parent.children.set(label.charCodeAt(0), leaf);
  return label.length <= maxLabel ? leaf : addLeaf(leaf, label.slice(maxLabel));
}

/** Puts a node for the first `length` characters between a node and its child. */
function split(parent: Node, child: Node, length: number): void {
  const between = createNode(child.label.slice(0, length));
  child.label = child.label.slice(length);
  between.children.set(child.label.charCodeAt(0), child);
  parent.children.set(between.label.charCodeAt(0), between);
}

function commonLength(a: string, b: string): number {
  const limit = Math.min(a.length, b.length);
  let i = 0;
  while (i < limit && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  return i;
}
