import assert from 'node:assert/strict';
import { messageOf } from '../../../src/core/base/errors.ts';
import type { Mesh } from '../../../src/index.ts';
import { echo, type Protocol } from './peers.ts';

export interface Traffic {
  /** Ends it. @returns how many calls there were; fails when one of them failed */
  stop(): Promise<number>;
}

/** About 200 calls a second over several meshes. */
export function traffic(meshes: readonly Mesh[], protocol: Protocol): Traffic {
  const failures: string[] = [];
  const pending = new Set<Promise<unknown>>();
  let calls = 0;
  const timer = setInterval(() => {
    for (const mesh of meshes) {
      calls++;
      const call = echo(mesh, protocol)
        .catch((thrown: unknown) => failures.push(messageOf(thrown)))
        .finally(() => pending.delete(call));
      pending.add(call);
    }
  }, 5 * meshes.length);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(pending);
      assert.deepEqual(failures.slice(0, 3), [], `${failures.length} of ${calls} calls failed`);
      return calls;
    },
  };
}
