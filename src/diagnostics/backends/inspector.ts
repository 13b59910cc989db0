import { Session } from 'node:inspector/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fromCpuProfile, fromHeapProfile, type RawCpuProfile, type RawHeapProfile } from '../pprof/index.ts';
import type { CpuSampling, ProfilerBackend } from './backend.ts';

/** V8's own profilers through `node:inspector`: nothing to install, nothing native of ours. */
export function createInspectorBackend(): ProfilerBackend {
  const session = new Session();
  let isConnected = false;
  let intervalBytes = 524_288;
  const connect = (): Session => {
    if (!isConnected) session.connect();
    isConnected = true;
    return session;
  };
  return {
    name: 'inspector',
    cpu: async (sampling) => {
      const own = new Session();
      own.connect();
      try {
        return await sampleCpu(own, sampling);
      } finally {
        // Closing a session that has profiled reduces the coverage of a test runner to whole functions.
        if (process.env['NODE_V8_COVERAGE'] === undefined) own.disconnect();
      }
    },
    startHeap: async (bytes = 524_288) => {
      intervalBytes = bytes;
      await connect().post('HeapProfiler.startSampling', { samplingInterval: bytes });
    },
    heap: async () => {
      const { profile } = await connect().post('HeapProfiler.getSamplingProfile');
      const meta = { kind: 'heap', startMs: Date.now(), samplingIntervalBytes: intervalBytes };
      return fromHeapProfile(profile as unknown as RawHeapProfile, meta);
    },
    stopHeap: async () => {
      await connect().post('HeapProfiler.stopSampling');
    },
  };
}

async function sampleCpu(session: Session, { durationMs, hertz = 99, kind = 'cpu' }: CpuSampling) {
  const startMs = Date.now();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: Math.round(1e6 / hertz) });
  await session.post('Profiler.start');
  await delay(durationMs);
  const { profile } = await session.post('Profiler.stop');
  return fromCpuProfile(profile as RawCpuProfile, { kind, startMs });
}
