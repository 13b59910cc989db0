import type { DispatcherLike } from './dispatcher.ts';

/** Where undici keeps its global dispatcher: fetch of Node 22 to 26 and undici up to 7, and undici from 8 on. */
const keys = [Symbol.for('undici.globalDispatcher.1'), Symbol.for('undici.globalDispatcher.2')] as const;
const belowOf = Symbol.for('heddle.below');

type Globals = Record<symbol, DispatcherLike | undefined>;

/** A dispatcher of ours that stands in the place of another. */
interface Standing extends DispatcherLike {
  readonly [belowOf]?: DispatcherLike | null;
}

/**
 * What takes calls that are nobody's business of ours: the global dispatcher, below any that a mesh has put over it.
 * Loads Node's own fetch when nothing has set one yet.
 */
export function globalDispatcher(): DispatcherLike | null {
  const globals = globalThis as unknown as Globals;
  let found: Standing | undefined = globals[keys[0]] ?? globals[keys[1]];
  if (found === undefined) {
    // A lazy global: touching it loads undici, which sets its dispatcher.
    void globalThis.Response;
    found = globals[keys[0]];
  }
  while (found?.[belowOf] != null) found = found[belowOf];
  return found ?? null;
}
