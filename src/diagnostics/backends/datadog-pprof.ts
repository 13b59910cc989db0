import { decodePprof } from '../pprof/index.ts';
import type { Profile } from '../profile-model.ts';
import type { ProfilerBackend } from './backend.ts';
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

/**
 * `@datadog/pprof`: prebuilt native samplers with exact object counts. One CPU profile at a time in a thread.
 * @throws HeddleError ERR_PEER_MISSING when the package is not installed or cannot be loaded.
 */
export function createDatadogBackend(): ProfilerBackend {
  const { time, heap } = loadPeer<DatadogPprof>('@datadog/pprof', 'npm install @datadog/pprof');
  return {
    name: 'datadog-pprof',
    cpu: async ({ durationMs, hertz = 99, kind = 'cpu' }) => {
      const intervalMicros = Math.round(1e6 / hertz);
      time.start({
        durationMillis: durationMs,
        intervalMicros,
        collectCpuTime: kind === 'cpu',
        withContexts: kind === 'cpu',
      });
      await new Promise((resolve) => setTimeout(resolve, durationMs));
      return toModel(time.stop(false), kind);
    },
    startHeap: async (intervalBytes = 524_288) => heap.start(intervalBytes, stackDepth),
    heap: async () => toModel(heap.profile(), 'heap'),
    stopHeap: async () => heap.stop(),
  };
}

/** Theirs is a profile of another copy of the format library: only its bytes are common ground. */
function toModel(profile: Encodable, kind: string): Profile {
  const decoded = decodePprof(profile.encode(), '@datadog/pprof');
  const cpu = decoded.sampleTypes.findIndex(({ type }) => type === kind);
  return { ...decoded, kind, defaultSampleType: cpu === -1 ? decoded.defaultSampleType : cpu };
}
