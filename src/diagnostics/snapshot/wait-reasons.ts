import type { HeapGraph } from './graph.ts';

const maxHops = 12;
const maxVisited = 400;

/** Holders that say nothing: the search goes on behind them. */
const plainNames = new Set([
  'Object',
  'Array',
  'Map',
  'Set',
  'Promise',
  'Function',
  '(object elements)',
  '(object properties)',
]);

/** Holds its local variables: who waits, never who wakes. */
const generatorNames = new Set(['Generator', 'AsyncGenerator']);

/** A node on the way back, with the name of the last property that led there. */
interface Step {
  readonly node: number;
  readonly property: string;
}

/**
 * What the heap tells about the end of an await chain: a promise is settled by its resolve functions, so whoever
 * holds those is what the coroutine waits on. The search goes backwards from the promise over resolve functions,
 * closures and plain containers to the nearest object of a class.
 */
export class WaitReasons {
  readonly #graph: HeapGraph;
  readonly #known = new Map<number, string | undefined>();
  readonly #promise: number;
  readonly #context: number;
  readonly #edgeTypes: { readonly property: number; readonly weak: number; readonly variable: number };

  constructor(graph: HeapGraph) {
    this.#graph = graph;
    this.#promise = graph.nameIndex('Promise');
    this.#context = graph.nameIndex('system / Context');
    this.#edgeTypes = {
      property: graph.edgeTypeIndex('property'),
      weak: graph.edgeTypeIndex('weak'),
      variable: graph.edgeTypeIndex('context'),
    };
  }

  /** `[Timeout]`, `[Lock.waiters]`, or undefined where the heap does not tell. */
  of(promises: readonly number[]): string | undefined {
    for (const promise of promises) {
      if (!this.#known.has(promise)) this.#known.set(promise, this.#search(promise));
      const reason = this.#known.get(promise);
      if (reason !== undefined) return `[${reason}]`;
    }
    return undefined;
  }

  #search(promise: number): string | undefined {
    const seen = new Set([promise]);
    let level: Step[] = [{ node: promise, property: '' }];
    for (let hops = 0; hops < maxHops && level.length > 0 && seen.size < maxVisited; hops++) {
      const next: Step[] = [];
      let answer: string | undefined;
      for (const { node, property } of level) {
        this.#graph.eachRetainer(node, (edge, source) => {
          if (answer !== undefined || seen.has(source) || this.#graph.edgeType(edge) === this.#edgeTypes.weak)
            return;
          seen.add(source);
          const step = this.#judge(node, edge, source, property);
          if (typeof step === 'string') answer = step;
          else if (step !== undefined) next.push(step);
        });
        if (answer !== undefined) return answer;
      }
      level = next;
    }
    return undefined;
  }

  /** A reason, a node to go on from, or undefined for a dead end. */
  #judge(node: number, edge: number, source: number, property: string): string | Step | undefined {
    const graph = this.#graph;
    const type = graph.typeOf(source);
    const isProperty = graph.edgeType(edge) === this.#edgeTypes.property;
    const label = isProperty ? graph.edgeLabel(edge) : property;
    if (graph.nodeName(source) === this.#context) return this.#judgeContext(edge, node, source, property);
    if (type === 'closure' || type === 'array') {
      return graph.nodeName(node) === this.#promise ? undefined : { node: source, property: label };
    }
    if (type === 'native') return graph.nameOf(source).replace(/^Node \/ /, '');
    if (type !== 'object') return undefined;
    const name = graph.nameOf(source);
    // Requests of Node's own hold the promise that they settle; any other object that holds one only reads it.
    if (graph.nodeName(node) === this.#promise) return /Req|Wrap$/.test(name) ? name : undefined;
    if (generatorNames.has(name)) return undefined;
    if (plainNames.has(name) || name.startsWith('system /') || name === '') {
      return name === 'Promise' ? undefined : { node: source, property: label };
    }
    return label === '' || label.startsWith('_') ? name : `${name}.${label}`;
  }

  /**
   * The promise itself counts only when a resolve function holds it (a slot without a name, which V8 shows as
   * `hidden` or, once optimised, as `extension`): a variable that holds a promise belongs to somebody who reads it.
   */
  #judgeContext(edge: number, node: number, scope: number, property: string): string | Step | undefined {
    const isVariable = this.#graph.edgeType(edge) === this.#edgeTypes.variable;
    if (isVariable && this.#graph.nodeName(node) === this.#promise) return undefined;
    // A list or table of resolve functions in a variable: its name is what the source code calls the queue.
    if (isVariable && this.#graph.typeOf(node) === 'object') return this.#graph.edgeLabel(edge);
    return { node: scope, property };
  }
}
