import type { HeapGraph } from './graph.ts';

/** A chain of `.then()` between two coroutines is followed this far. */
const maxHops = 100_000;

/**
 * Who awaits whom, read from V8's own objects (the same on Node 22, 24 and 26):
 *
 * ```
 *  coroutine (JSGeneratorObject)  internal function -> closure -> shared -> script -> name
 *      | hidden                   (async generator: hidden -> AsyncGeneratorRequest -> hidden)
 *      v
 *  its Promise -- reactions_or_result --> PromiseReaction -- hidden --> next PromiseReaction
 *                                            | hidden
 *                                            +-> closure -> context -- extension --> the coroutine that awaits it
 *                                            +-> Promise or PromiseCapability: `.then()`, Promise.all, ...: go on there
 * ```
 * A coroutine is pending only if some PromiseReaction leads to it: Node 26 keeps the closures after the end.
 */
export class AwaitGraph {
  /** Nodes of all pending coroutines. */
  readonly coroutines: readonly number[];
  readonly #graph: HeapGraph;
  readonly #names: ReturnType<typeof wellKnown>;
  readonly #isGenerator: Uint8Array;
  readonly #awaited = new Map<number, number[]>();
  readonly #awaiters = new Map<number, number[]>();
  readonly #owners = new Map<number, number>();

  constructor(graph: HeapGraph) {
    this.#graph = graph;
    this.#names = wellKnown(graph);
    this.#isGenerator = new Uint8Array(graph.nodeCount);
    const generators = this.#findGenerators();
    for (const node of generators) this.#isGenerator[node] = 1;
    this.coroutines = generators.filter((node) => this.promisesAwaitedBy(node).length > 0);
    const pending = new Set(this.coroutines);
    for (const node of this.coroutines) {
      for (const awaiter of this.#awaitersOf(node)) {
        if (!pending.has(awaiter) || awaiter === node) continue;
        push(this.#awaiters, node, awaiter);
        push(this.#awaited, awaiter, node);
      }
    }
  }

  /** Pending coroutines that no other one awaits. */
  roots(): number[] {
    return this.coroutines.filter((node) => !this.#awaiters.has(node));
  }

  awaitedBy(coroutine: number): readonly number[] {
    return this.#awaited.get(coroutine) ?? [];
  }

  functionOf(coroutine: number): number {
    return this.#internal(coroutine, this.#names.function);
  }

  /** URL of the script of a closure, '' where the snapshot does not tell. */
  scriptOf(closure: number): string {
    const shared = closure === -1 ? -1 : this.#internal(closure, this.#names.shared);
    const script = shared === -1 ? -1 : this.#internal(shared, this.#names.script);
    const name = script === -1 ? -1 : this.#internal(script, this.#names.name);
    return name === -1 ? '' : this.#graph.nameOf(name);
  }

  /** The promises in whose reactions a coroutine stands: backwards from it over context and closure. */
  promisesAwaitedBy(coroutine: number): number[] {
    const graph = this.#graph;
    const { reaction, extension, context, hidden, internal } = this.#names;
    const reactions = new Set<number>();
    const takeReaction = (edge: number, source: number): void => {
      if (graph.edgeType(edge) === hidden && graph.nodeName(source) === reaction) reactions.add(source);
    };
    graph.eachRetainer(coroutine, (edge, source) => {
      takeReaction(edge, source);
      if (graph.edgeType(edge) !== internal || graph.edgeName(edge) !== extension) return;
      graph.eachRetainer(source, (closureEdge, closure) => {
        if (graph.edgeName(closureEdge) === context) graph.eachRetainer(closure, takeReaction);
      });
    });
    const promises = [...reactions].map((node) => this.#ownerOf(node)).filter((node) => node !== -1);
    return [...new Set(promises)];
  }

  /** The promise at the head of a reaction's list. Remembered: 10,000 waiters on one promise share that list. */
  #ownerOf(reaction: number): number {
    const path: number[] = [];
    let owner: number | undefined;
    for (let at = reaction; owner === undefined; ) {
      owner = this.#owners.get(at);
      if (owner !== undefined) break;
      path.push(at);
      const { promise, previous } = this.#holderOf(at);
      if (promise !== -1 || previous === -1 || path.length > this.#graph.nodeCount) owner = promise;
      at = previous;
    }
    for (const node of path) this.#owners.set(node, owner);
    return owner;
  }

  #holderOf(reaction: number): { readonly promise: number; readonly previous: number } {
    const graph = this.#graph;
    const { reaction: reactionName, reactions, internal, hidden } = this.#names;
    let promise = -1;
    let previous = -1;
    graph.eachRetainer(reaction, (edge, source) => {
      if (graph.edgeType(edge) === internal && graph.edgeName(edge) === reactions) promise = source;
      else if (graph.edgeType(edge) === hidden && graph.nodeName(source) === reactionName) previous = source;
    });
    return { promise, previous };
  }

  /** Coroutines that the end of this one wakes: forwards from its promise. */
  #awaitersOf(coroutine: number): Set<number> {
    const found = new Set<number>();
    const seen = new Set<number>();
    const open = this.#promisesOf(coroutine);
    for (let at = open.pop(); at !== undefined && seen.size < maxHops; at = open.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      this.#step(at, open, found);
    }
    return found;
  }

  #step(node: number, open: number[], found: Set<number>): void {
    const graph = this.#graph;
    const { promise, reaction, capability, hidden, reactions } = this.#names;
    const name = graph.nodeName(node);
    if (name === promise && graph.typeOf(node) === 'object') {
      const next = this.#internal(node, reactions);
      if (next !== -1 && graph.nodeName(next) === reaction) open.push(next);
    } else if (name === reaction || name === capability) {
      for (let edge = graph.firstEdge(node); edge < graph.endEdge(node); edge++) {
        if (graph.edgeType(edge) !== hidden) continue;
        const target = graph.edgeTarget(edge);
        if (this.#isGenerator[target] === 1) found.add(target);
        else if (graph.typeOf(target) === 'closure') this.#stepClosure(target, open, found);
        else open.push(target);
      }
    }
  }

  /**
   * V8's own closures (await, `Promise.all` elements, resolve functions) keep in their context what they wake.
   * A closure of the application has named variables there: those are no promise links.
   */
  #stepClosure(closure: number, open: number[], found: Set<number>): void {
    const graph = this.#graph;
    const { context, extension, variable, hidden, promise, capability } = this.#names;
    const scope = this.#internal(closure, context);
    if (scope === -1) return;
    const awaiter = this.#internal(scope, extension);
    if (awaiter !== -1 && this.#isGenerator[awaiter] === 1) {
      found.add(awaiter);
      return;
    }
    const targets: number[] = [];
    for (let edge = graph.firstEdge(scope); edge < graph.endEdge(scope); edge++) {
      if (graph.edgeType(edge) === variable) return;
      if (graph.edgeType(edge) === hidden) targets.push(graph.edgeTarget(edge));
    }
    for (const target of targets) {
      const name = graph.nodeName(target);
      if (name === promise || name === capability) open.push(target);
    }
  }

  #promisesOf(coroutine: number): number[] {
    const graph = this.#graph;
    const { promise, request, hidden } = this.#names;
    const promises: number[] = [];
    const holders = [coroutine];
    for (let hops = 0, at = holders.pop(); at !== undefined && hops < maxHops; at = holders.pop(), hops++) {
      for (let edge = graph.firstEdge(at); edge < graph.endEdge(at); edge++) {
        if (graph.edgeType(edge) !== hidden) continue;
        const target = graph.edgeTarget(edge);
        if (graph.nodeName(target) === promise) promises.push(target);
        else if (graph.nodeName(target) === request) holders.push(target);
      }
    }
    return promises;
  }

  /** By shape, not by name: a class of the application may be called Generator. */
  #findGenerators(): number[] {
    const graph = this.#graph;
    const { registers, internal, function: functionName } = this.#names;
    const found: number[] = [];
    for (let node = 0; node < graph.nodeCount; node++) {
      if (graph.follow(node, internal, registers) === -1) continue;
      if (graph.follow(node, internal, functionName) !== -1) found.push(node);
    }
    return found;
  }

  #internal(node: number, name: number): number {
    return this.#graph.follow(node, this.#names.internal, name);
  }
}

function wellKnown(graph: HeapGraph) {
  const name = (text: string): number => graph.nameIndex(text);
  return {
    internal: graph.edgeTypeIndex('internal'),
    hidden: graph.edgeTypeIndex('hidden'),
    variable: graph.edgeTypeIndex('context'),
    promise: name('Promise'),
    reaction: name('system / PromiseReaction'),
    capability: name('system / PromiseCapability'),
    request: name('system / AsyncGeneratorRequest'),
    reactions: name('reactions_or_result'),
    extension: name('extension'),
    context: name('context'),
    registers: name('parameters_and_registers'),
    function: name('function'),
    shared: name('shared'),
    script: name('script'),
    name: name('name'),
  };
}

function push(map: Map<number, number[]>, key: number, value: number): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}
