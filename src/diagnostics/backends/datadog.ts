import type { NativeSampler } from './backend.ts';
import { loadPeer } from './load-peer.ts';

/** The parts of `@datadog/pprof` 5 that are called. */
interface DatadogPprof {
  readonly time: {
    start(options: {
      durationMillis: number;
      intervalMicros: number;
      collectCpuTime?: boolean;
      withContexts?: boolean;
    }): void;
    stop(restart?: boolean): Encodable;
  };
  readonly heap: {
    start(intervalBytes: number, stackDepth: number): void;
    stop(): void;
    profile(): Encodable;
  };
}

interface Encodable {
  encode(): Uint8Array;
}

const stackDepth = 64;
/** Only the size of its buffers depends on it. */
const longestMs = 60_000;

/**
 * `@datadog/pprof`: prebuilt native samplers with exact object counts. One CPU profile at a time in a thread.
 * @throws HeddleError ERR_PEER_MISSING when the package is not installed or cannot be loaded.
 */
export function createDatadogSampler(): NativeSampler {
  const { time, heap } = loadPeer<DatadogPprof>('@datadog/pprof', 'npm install @datadog/pprof');
  return {
    name: 'datadog',
    startCpu: ({ hertz, kind }) =>
      time.start({
        durationMillis: longestMs,
        intervalMicros: Math.round(1e6 / hertz),
        collectCpuTime: kind === 'cpu',
        withContexts: kind === 'cpu',
      }),
    stopCpu: () => time.stop(false).encode(),
    startHeap: (intervalBytes) => heap.start(intervalBytes, stackDepth),
    heap: () => heap.profile().encode(),
    stopHeap: () => heap.stop(),
  };
}
