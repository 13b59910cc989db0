import { anonymous } from '../pprof/frame-names.ts';
import { decodePprof } from '../pprof/index.ts';
import type { Profile, ProfileFrame } from '../profile-model.ts';
import type { NativeSampler, ProfilerBackend } from './backend.ts';

/** A native sampler for the thread that it is called on. */
export function nativeBackend(sampler: NativeSampler): ProfilerBackend {
  return {
    name: sampler.name,
    cpu: async ({ durationMs, hertz = 99, kind = 'cpu' }) => {
      sampler.startCpu({ hertz, kind });
      await new Promise((resolve) => setTimeout(resolve, durationMs));
      return fromNative(sampler.stopCpu(), kind);
    },
    startHeap: async (intervalBytes = 524_288) => sampler.startHeap(intervalBytes),
    heap: async () => fromNative(sampler.heap(), 'heap'),
    stopHeap: async () => sampler.stopHeap(),
  };
}

/** @param kind what a viewer shows first is the column of that name, where there is one. */
export function fromNative(bytes: Uint8Array, kind: string): Profile {
  const decoded = decodePprof(bytes, 'native profile');
  const column = decoded.sampleTypes.findIndex(({ type }) => type === kind);
  const frames = decoded.frames.map(withPlainName);
  return { ...decoded, frames, kind, defaultSampleType: column === -1 ? decoded.defaultSampleType : column };
}

/** V8's names for what @datadog/pprof calls otherwise: the verdict counts the collector's time by them. */
const ownNames: Readonly<Record<string, string>> = {
  'Garbage Collection': '(garbage collector)',
  'Non JS threads activity': '(native threads)',
};

/** Both packages call a function without a name `(anonymous:L#12:C#8)`. */
function withPlainName(frame: ProfileFrame): ProfileFrame {
  const [, line, column] = /^\(anonymous:L#(\d+):C#(\d+)\)$/.exec(frame.name) ?? [];
  if (line === undefined)
    return frame.url === '' ? { ...frame, name: ownNames[frame.name] ?? frame.name } : frame;
  return { ...frame, name: anonymous, line: Number(line), column: Number(column) };
}
