/** Heap snapshots: read as a stream, and the exact dump of pending coroutines. Run in the pool, never on the app's loop. */
export { type CoroutineMeta, coroutinesIn, coroutinesOf } from './coroutines.ts';
export { readSnapshot } from './reader.ts';
