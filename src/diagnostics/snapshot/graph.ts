import { HeddleError } from '../../core/base/errors.ts';

/** Field names and types of a snapshot, as V8 writes them in its header. */
export interface SnapshotMeta {
  readonly node_fields: readonly string[];
  readonly node_types: readonly (readonly string[] | string)[];
  readonly edge_fields: readonly string[];
  readonly edge_types: readonly (readonly string[] | string)[];
  readonly location_fields?: readonly string[];
}

/** Where a function begins; 1-based. */
export interface ScriptPlace {
  readonly line: number;
  readonly column: number;
}

/** Strings longer than this are of no use as names; V8 itself cuts at 1024. */
const maxStringBytes = 2048;

/**
 * The graph of a heap snapshot in typed arrays: nodes with a type and a name, edges in the order of their nodes,
 * and, once asked for, the edges backwards. Nodes are known by their index.
 */
export class HeapGraph {
  readonly nodeCount: number;
  readonly edgeCount: number;
  readonly #meta: SnapshotMeta;
  readonly #nodeTypes: Uint8Array;
  readonly #nodeNames: Uint32Array;
  /** Edges of node n are those from [n] up to [n + 1]. */
  readonly #firstEdges: Uint32Array;
  readonly #edgeTypes: Uint8Array;
  readonly #edgeNames: Uint32Array;
  readonly #edgeTargets: Uint32Array;
  readonly #places = new Map<number, ScriptPlace>();
  readonly #strings: Buffer[] = [];
  readonly #stringIndex = new Map<string, number>();
  readonly #fields: { type: number; name: number; edgeCount: number; size: number };
  #retainers: { readonly first: Uint32Array; readonly edges: Uint32Array } | undefined;
  #place = [0, 0, 0, 0];

  constructor(meta: SnapshotMeta, nodeCount: number, edgeCount: number) {
    this.#meta = meta;
    this.nodeCount = nodeCount;
    this.edgeCount = edgeCount;
    const field = (name: string): number => {
      const index = meta.node_fields.indexOf(name);
      if (index === -1) throw new HeddleError('ERR_SNAPSHOT_INVALID', `its nodes have no field "${name}"`);
      return index;
    };
    this.#fields = {
      type: field('type'),
      name: field('name'),
      edgeCount: field('edge_count'),
      size: meta.node_fields.length,
    };
    if (meta.edge_fields.join() !== 'type,name_or_index,to_node') {
      throw new HeddleError('ERR_SNAPSHOT_INVALID', `its edges have the fields ${meta.edge_fields.join()}`);
    }
    this.#nodeTypes = new Uint8Array(nodeCount);
    this.#nodeNames = new Uint32Array(nodeCount);
    this.#firstEdges = new Uint32Array(nodeCount + 1);
    this.#edgeTypes = new Uint8Array(edgeCount);
    this.#edgeNames = new Uint32Array(edgeCount);
    this.#edgeTargets = new Uint32Array(edgeCount);
  }

  setNodeField(index: number, value: number): void {
    const { type, name, edgeCount, size } = this.#fields;
    const field = index % size;
    const node = (index - field) / size;
    if (field === type) this.#nodeTypes[node] = value;
    else if (field === name) this.#nodeNames[node] = value;
    else if (field === edgeCount) this.#firstEdges[node + 1] = (this.#firstEdges[node] as number) + value;
  }

  setEdgeField(index: number, value: number): void {
    const field = index % 3;
    const edge = (index - field) / 3;
    if (field === 0) this.#edgeTypes[edge] = value;
    else if (field === 1) this.#edgeNames[edge] = value;
    else this.#edgeTargets[edge] = value / this.#fields.size;
  }

  /** `object_index, script_id, line, column`, 0-based. */
  setLocationField(index: number, value: number): void {
    this.#place[index % 4] = value;
    if (index % 4 !== 3) return;
    const [object = 0, , line = 0, column = 0] = this.#place;
    this.#places.set(object / this.#fields.size, { line: line + 1, column: column + 1 });
  }

  addString(raw: Buffer): void {
    const kept = Buffer.from(raw.subarray(0, maxStringBytes));
    const index = this.#strings.push(kept) - 1;
    if (raw.length <= 64) this.#stringIndex.set(kept.toString('latin1'), index);
  }

  /** @throws HeddleError ERR_SNAPSHOT_INVALID when counts and contents do not agree. */
  seal(): void {
    if (this.#firstEdges[this.nodeCount] !== this.edgeCount || this.#strings.length === 0) {
      throw new HeddleError('ERR_SNAPSHOT_INVALID', 'its header announces more than it holds');
    }
  }

  typeOf(node: number): string {
    return (this.#meta.node_types[0] as readonly string[])[this.#nodeTypes[node] as number] ?? '';
  }

  nameOf(node: number): string {
    return this.#text(this.#nodeNames[node] as number);
  }

  placeOf(node: number): ScriptPlace | undefined {
    return this.#places.get(node);
  }

  /** Index of a name of at most 64 bytes, to compare names by number; -1 where the snapshot has none. */
  nameIndex(name: string): number {
    return this.#stringIndex.get(name) ?? -1;
  }

  nodesNamed(name: string): number[] {
    const index = this.nameIndex(name);
    const found: number[] = [];
    if (index === -1) return found;
    for (let node = 0; node < this.nodeCount; node++) if (this.#nodeNames[node] === index) found.push(node);
    return found;
  }

  /** Index of an edge type (`internal`, `hidden`, `context`, ...). */
  edgeTypeIndex(type: string): number {
    return (this.#meta.edge_types[0] as readonly string[]).indexOf(type);
  }

  firstEdge(node: number): number {
    return this.#firstEdges[node] as number;
  }

  endEdge(node: number): number {
    return this.#firstEdges[node + 1] as number;
  }

  edgeType(edge: number): number {
    return this.#edgeTypes[edge] as number;
  }

  /** Index of a string, or the number itself for edges of type `element` and `hidden`. */
  edgeName(edge: number): number {
    return this.#edgeNames[edge] as number;
  }

  edgeLabel(edge: number): string {
    return this.#text(this.#edgeNames[edge] as number);
  }

  edgeTarget(edge: number): number {
    return this.#edgeTargets[edge] as number;
  }

  nodeName(node: number): number {
    return this.#nodeNames[node] as number;
  }

  /** The target of the first edge of that type and name, or -1. */
  follow(node: number, type: number, name: number): number {
    const end = this.endEdge(node);
    for (let edge = this.firstEdge(node); edge < end; edge++) {
      if (this.#edgeNames[edge] === name && this.#edgeTypes[edge] === type) return this.edgeTarget(edge);
    }
    return -1;
  }

  /** Edges that point at a node: `[edge, source]` by callback. The index is built at the first call (8 bytes an edge). */
  eachRetainer(node: number, visit: (edge: number, source: number) => void): void {
    this.#retainers ??= this.#buildRetainers();
    const { first, edges } = this.#retainers;
    const end = first[node + 1] as number;
    for (let at = first[node] as number; at < end; at++) {
      const edge = edges[at] as number;
      visit(edge, this.#sourceOf(edge));
    }
  }

  #buildRetainers(): { readonly first: Uint32Array; readonly edges: Uint32Array } {
    const first = new Uint32Array(this.nodeCount + 1);
    for (let edge = 0; edge < this.edgeCount; edge++) {
      const target = this.edgeTarget(edge) + 1;
      first[target] = (first[target] as number) + 1;
    }
    for (let node = 0; node < this.nodeCount; node++) {
      first[node + 1] = (first[node + 1] as number) + (first[node] as number);
    }
    const next = first.slice();
    const edges = new Uint32Array(this.edgeCount);
    for (let edge = 0; edge < this.edgeCount; edge++) {
      const target = this.edgeTarget(edge);
      const at = next[target] as number;
      edges[at] = edge;
      next[target] = at + 1;
    }
    return { first, edges };
  }

  /** The node whose range of edges holds this one. */
  #sourceOf(edge: number): number {
    let low = 0;
    let high = this.nodeCount;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#firstEdges[middle] as number) <= edge) low = middle;
      else high = middle;
    }
    return low;
  }

  #text(index: number): string {
    const raw = this.#strings[index];
    if (raw === undefined) return '';
    const text = raw.toString('utf8');
    if (!text.includes('\\')) return text;
    try {
      return JSON.parse(`"${text}"`) as string;
    } catch {
      return text;
    }
  }
}
