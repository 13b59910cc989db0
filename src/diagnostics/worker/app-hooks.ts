import type { InspectorSession } from '../../core/contract/profile-kind.ts';
import { hookExpression } from '../hooks/registry.ts';
import { evaluate } from './main-session.ts';

/** Calls to the application's thread, also while that stands still in a loop. */
export class AppHooks {
  readonly #session: InspectorSession;
  readonly #id: string;

  /** @param id of the monitor: several may have hooks in one process. */
  constructor(session: InspectorSession, id: string) {
    this.#session = session;
    this.#id = id;
  }

  /** Undefined once the hooks are gone. */
  call<Result>(method: string, argument?: unknown): Promise<Result | undefined> {
    return evaluate<Result | undefined>(this.#session, hookExpression(this.#id, method, argument));
  }

  /** Begins or ends the observation of a kind: `pending`, `stop pending`, `buffers`, `stop buffers`. */
  async prepare(kind: string): Promise<void> {
    const word = kind.endsWith('pending') ? 'Pending' : 'Buffers';
    await this.call(kind.startsWith('stop ') ? `stop${word}` : `start${word}`);
  }

  /** Heap values right now, by signal name. */
  async readHeap(): Promise<Record<string, number>> {
    const expression =
      "(() => { const heap = process.getBuiltinModule('node:v8').getHeapStatistics(); return [heap.used_heap_size, heap.external_memory]; })()";
    const [heapUsedBytes = 0, externalBytes = 0] = await evaluate<number[]>(this.#session, expression);
    return { heapUsedBytes, heapAfterGcBytes: heapUsedBytes, externalBytes };
  }
}
