import { isMainThread } from 'node:worker_threads';
import { HeddleError } from '../../core/base/errors.ts';
import type { NativeSampler } from './backend.ts';
import { loadPeer } from './load-peer.ts';

/** The parts of `pprof` 4 and 5 that are called. */
interface PprofPackage {
  readonly time: { start(intervalMicros: number): () => object };
  readonly heap: {
    start(intervalBytes: number, stackDepth: number): void;
    stop(): void;
    profile(): object;
  };
  encodeSync(profile: object): Uint8Array;
}

const stackDepth = 64;

/**
 * The `pprof` package. It brings no binary: it works where it was built for the running Node.js, and in one thread
 * of a process only.
 * @throws HeddleError ERR_PEER_MISSING that says why it cannot be used.
 */
export function createPprofSampler(): NativeSampler {
  if (!isMainThread) throw new HeddleError('ERR_PEER_MISSING', '"pprof" works on the main thread only');
  const { time, heap, encodeSync } = loadPeer<PprofPackage>(
    'pprof',
    'npm install pprof, with its build script allowed',
  );
  let stop: (() => object) | undefined;
  return {
    name: 'pprof',
    startCpu: ({ hertz }) => {
      stop = time.start(Math.round(1e6 / hertz));
    },
    stopCpu: () => {
      if (stop === undefined) throw new HeddleError('ERR_MONITOR_CAPTURE', 'pprof was not started');
      return encodeSync(stop());
    },
    startHeap: (intervalBytes) => heap.start(intervalBytes, stackDepth),
    heap: () => encodeSync(heap.profile()),
    stopHeap: () => heap.stop(),
  };
}
