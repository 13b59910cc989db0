import { isMainThread } from 'node:worker_threads';
import { HeddleError } from '../../core/base/errors.ts';
import { decodePprof } from '../pprof/index.ts';
import type { ProfilerBackend } from './backend.ts';
import { loadPeer } from './load-peer.ts';

/** The parts of `pprof` 4 and 5 that are called. */
interface PprofPackage {
  readonly time: { profile(options: { durationMillis: number; intervalMicros: number }): Promise<object> };
  readonly heap: {
    start(intervalBytes: number, stackDepth: number): void;
    stop(): void;
    profile(): object;
  };
  encode(profile: object): Promise<Uint8Array>;
}

const stackDepth = 64;

/**
 * The `pprof` package. It brings no binary: it works where it was built for the running Node.js, and in one thread
 * of a process only.
 * @throws HeddleError ERR_PEER_MISSING that says why it cannot be used.
 */
export function createPprofBackend(): ProfilerBackend {
  if (!isMainThread) {
    throw new HeddleError('ERR_PEER_MISSING', '"pprof" works on the main thread only');
  }
  const pprof = loadPeer<PprofPackage>('pprof', 'npm install pprof, with its build script allowed');
  return {
    name: 'pprof',
    cpu: async ({ durationMs, hertz = 99, kind = 'cpu' }) => {
      const intervalMicros = Math.round(1e6 / hertz);
      const profile = await pprof.time.profile({ durationMillis: durationMs, intervalMicros });
      return { ...decodePprof(await pprof.encode(profile), 'pprof'), kind };
    },
    startHeap: async (intervalBytes = 524_288) => pprof.heap.start(intervalBytes, stackDepth),
    heap: async () => ({ ...decodePprof(await pprof.encode(pprof.heap.profile()), 'pprof'), kind: 'heap' }),
    stopHeap: async () => pprof.heap.stop(),
  };
}
