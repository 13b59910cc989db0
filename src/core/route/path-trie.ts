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

/** Numbers a node: range of its label after the first byte, range of its children, cells exact, prefix, segment; one spare. */
const shift = 3;
const slash = 47;
const question = 63;
const none = -1;
const noRoute = 0x7fffffff;

/**
 * A compressed byte trie over all paths and prefixes of one virtual host, laid out in typed arrays. One walk along the
 * path meets every literal that can match, so the cost follows the length of the path and not the number of routes.
 * Routes that depend on more than the path are collected in `lists` for the caller, who keeps first-match order.
 *
 *   list cell: -1 none | i >= 0 route i, final | -2 - n the n-th list of several or conditional routes
 */
export class PathTrie {
  readonly #nodes: Int32Array;
  /** First label byte of each node: the children of a node stand side by side, sorted, in one cache line. */
  readonly #firstBytes: Uint8Array;
  readonly #labels: Uint8Array;
  /** Conditional candidates, ascending, each list ended by its first final one. */
  readonly conditional: readonly Int32Array[];
  /** Ids of the conditional lists met by the last walk. */
  readonly met: number[] = [];
  metCount = 0;

  constructor(entries: readonly TrieEntry[]) {
    const layout = new Layout(entries);
    this.#nodes = Int32Array.from(layout.nodes);
    this.#firstBytes = Uint8Array.from(layout.firstBytes);
    this.#labels = Uint8Array.from(layout.labels);
    this.conditional = layout.conditional;
  }

  /**
   * Walks along `buf[start, end)`, which a "?" may end early.
   * @returns the smallest final route, or 0x7fffffff; `met[0, metCount)` has the conditional lists
   */
  walk(buf: Uint8Array, start: number, end: number): number {
    const nodes = this.#nodes;
    const labels = this.#labels;
    let best = noRoute;
    let at = start;
    let node = 0;
    this.metCount = 0;
    for (;;) {
      let cell = nodes[node + 5] as number;
      if (cell >= 0) best = cell < best ? cell : best;
      else if (cell !== none) this.met[this.metCount++] = -2 - cell;
      const byte = at < end ? (buf[at] as number) : question;
      if (byte === question || byte === slash) {
        cell = nodes[node + 6] as number;
        if (cell >= 0) best = cell < best ? cell : best;
        else if (cell !== none) this.met[this.metCount++] = -2 - cell;
      }
      if (byte === question) {
        cell = nodes[node + 4] as number;
        if (cell >= 0) return cell < best ? cell : best;
        if (cell !== none) this.met[this.metCount++] = -2 - cell;
        return best;
      }
      const child = this.#child(nodes[node + 2] as number, nodes[node + 3] as number, byte);
      if (child < 0) return best;
      node = child << shift;
      let label = nodes[node] as number;
      const labelEnd = nodes[node + 1] as number;
      if (labelEnd - label > end - ++at) return best;
      while (label < labelEnd) if (labels[label++] !== buf[at++]) return best;
    }
  }

  #child(from: number, to: number, byte: number): number {
    const firstBytes = this.#firstBytes;
    let low = from;
    let high = to;
    while (high - low > 8) {
      const middle = (low + high) >> 1;
      if ((firstBytes[middle] as number) <= byte) low = middle;
      else high = middle;
    }
    for (; low < high; low++) if (firstBytes[low] === byte) return low;
    return none;
  }
}

interface Node {
  label: string;
  readonly children: Map<number, Node>;
  readonly exact: TrieEntry[];
  readonly prefix: TrieEntry[];
  readonly segment: TrieEntry[];
}

/** Builds the tree with objects, then lays it out breadth first. */
class Layout {
  readonly nodes: number[] = [];
  readonly firstBytes: number[] = [];
  readonly labels: number[] = [];
  readonly conditional: Int32Array[] = [];

  constructor(entries: readonly TrieEntry[]) {
    const root = createNode('');
    for (const entry of entries) insert(root, entry);
    this.#layOut(root);
  }

  #layOut(root: Node): void {
    const queue: Node[] = [root];
    for (let i = 0; i < queue.length; i++) {
      const node = queue[i] as Node;
      this.firstBytes.push(node.label === '' ? 0 : node.label.charCodeAt(0));
      const labelStart = this.labels.length;
      for (let c = 1; c < node.label.length; c++) this.labels.push(node.label.charCodeAt(c));
      const childStart = queue.length;
      for (const byte of [...node.children.keys()].sort((a, b) => a - b)) {
        queue.push(node.children.get(byte) as Node);
      }
      this.nodes.push(labelStart, this.labels.length, childStart, queue.length);
      this.nodes.push(this.#cell(node.exact), this.#cell(node.prefix), this.#cell(node.segment), 0);
    }
  }

  #cell(entries: readonly TrieEntry[]): number {
    const sorted = entries.toSorted((a, b) => a.index - b.index);
    const first = sorted[0];
    if (first === undefined) return none;
    if (first.isFinal) return first.index;
    // What stands behind a final route can never be reached from here.
    const final = sorted.findIndex((entry) => entry.isFinal);
    const reachable = final < 0 ? sorted : sorted.slice(0, final + 1);
    this.conditional.push(Int32Array.from(reachable, (entry) => entry.index));
    return -1 - this.conditional.length;
  }
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
      const leaf = createNode(rest);
      node.children.set(rest.charCodeAt(0), leaf);
      node = leaf;
      break;
    }
    const common = commonLength(child.label, rest);
    if (common < child.label.length) split(node, child, common);
    node = node.children.get(rest.charCodeAt(0)) as Node;
    rest = rest.slice(common);
  }
  node[entry.kind].push(entry);
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
