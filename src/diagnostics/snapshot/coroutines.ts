import { anonymous } from '../pprof/frame-names.ts';
import { ProfileBuilder, syntheticFrame } from '../pprof/profile-builder.ts';
import type { Profile, ProfileFrame } from '../profile-model.ts';
import { AwaitGraph } from './await-graph.ts';
import type { HeapGraph } from './graph.ts';
import { readSnapshot } from './reader.ts';
import { WaitReasons } from './wait-reasons.ts';

/** Await chains that are followed from one root, so that a web of `Promise.all` cannot grow without bound. */
const maxChainsPerRoot = 1000;
const maxDepth = 1000;

export interface CoroutineMeta {
  readonly startMs?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * The exact dump of pending coroutines: every suspended async function in a heap snapshot, as await chains.
 * Root first: the function that nobody awaits, then what it awaits, down to the one that awaits no coroutine; the
 * leaf in brackets says what that one waits on where the heap tells it (`[Timeout]`, `[Lock.waiters]`).
 *
 * `await_chains` counts chains at their leaf (700 requests that wait on one lock are 700), `coroutines` counts
 * every suspended function exactly once, at its own place in the chain.
 */
export async function coroutinesOf(snapshotPath: string, meta: CoroutineMeta = {}): Promise<Profile> {
  return coroutinesIn(await readSnapshot(snapshotPath), meta);
}

export function coroutinesIn(graph: HeapGraph, meta: CoroutineMeta = {}): Profile {
  const awaits = new AwaitGraph(graph);
  const walk = new ChainWalk(graph, awaits);
  for (const root of awaits.roots()) walk.from(root);
  walk.rest();
  return walk.builder.build({
    kind: 'coroutines',
    defaultSampleType: 0,
    startMs: meta.startMs ?? 0,
    labels: meta.labels ?? {},
    comments: [`${awaits.coroutines.length} pending coroutines in ${graph.nodeCount} heap objects`],
  });
}

class ChainWalk {
  readonly builder = new ProfileBuilder([
    { type: 'await_chains', unit: 'count' },
    { type: 'coroutines', unit: 'count' },
  ]);
  readonly #graph: HeapGraph;
  readonly #awaits: AwaitGraph;
  readonly #reasons: WaitReasons;
  readonly #frames = new Map<number, number>();
  readonly #counted = new Set<number>();

  constructor(graph: HeapGraph, awaits: AwaitGraph) {
    this.#graph = graph;
    this.#awaits = awaits;
    this.#reasons = new WaitReasons(graph);
  }

  from(root: number): void {
    let left = maxChainsPerRoot;
    const onPath = new Set<number>();
    const open: { readonly coroutine: number; readonly parent: number; readonly depth: number }[] = [
      { coroutine: root, parent: 0, depth: 0 },
    ];
    const path: number[] = [];
    for (let at = open.pop(); at !== undefined && left > 0; at = open.pop()) {
      for (const gone of path.splice(at.depth)) onPath.delete(gone);
      path.push(at.coroutine);
      onPath.add(at.coroutine);
      const node = this.builder.child(at.parent, this.#frameOf(at.coroutine));
      this.#count(at.coroutine, node);
      const awaited = this.#awaits.awaitedBy(at.coroutine).filter((next) => !onPath.has(next));
      if (awaited.length === 0 || at.depth >= maxDepth) {
        this.builder.add(this.#leafOf(at.coroutine, node), [1, 0]);
        left--;
      }
      for (const next of awaited) open.push({ coroutine: next, parent: node, depth: at.depth + 1 });
    }
  }

  /** Coroutines that await each other in a ring have no root: a deadlock. Each ring is begun where it is met first. */
  rest(): void {
    for (const coroutine of this.#awaits.coroutines) {
      if (!this.#counted.has(coroutine)) this.from(coroutine);
    }
  }

  #count(coroutine: number, node: number): void {
    if (this.#counted.has(coroutine)) return;
    this.#counted.add(coroutine);
    this.builder.add(node, [0, 1]);
  }

  #leafOf(coroutine: number, node: number): number {
    const awaited = this.#awaits.awaitedBy(coroutine);
    const reason =
      awaited.length > 0 ? '[each other]' : this.#reasons.of(this.#awaits.promisesAwaitedBy(coroutine));
    return reason === undefined ? node : this.builder.child(node, this.builder.frame(syntheticFrame(reason)));
  }

  #frameOf(coroutine: number): number {
    const closure = this.#awaits.functionOf(coroutine);
    const known = this.#frames.get(closure);
    if (known !== undefined) return known;
    const place = this.#graph.placeOf(closure) ?? this.#graph.placeOf(coroutine);
    const name = this.#graph.nameOf(closure);
    const frame: ProfileFrame = {
      name: name === '' ? anonymous : name,
      url: this.#awaits.scriptOf(closure),
      line: place?.line ?? 0,
      column: place?.column ?? 0,
    };
    const index = this.builder.frame(frame);
    this.#frames.set(closure, index);
    return index;
  }
}
