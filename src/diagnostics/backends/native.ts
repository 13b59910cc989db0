import { anonymous } from '../pprof/frame-names.ts';
import { decodePprof } from '../pprof/index.ts';
import type { Profile, ProfileFrame, SampleType } from '../profile-model.ts';
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
  const decoded = inNanoseconds(decodePprof(bytes, 'native profile'));
  const column = decoded.sampleTypes.findIndex(({ type }) => type === kind);
  const frames = decoded.frames.map(withPlainName);
  return { ...decoded, frames, kind, defaultSampleType: column === -1 ? decoded.defaultSampleType : column };
}

/** `pprof` counts microseconds: as every other profile of ours, so that two can be put together. */
function inNanoseconds(profile: Profile): Profile {
  const factors = profile.sampleTypes.map(({ unit }) => toNanoseconds[unit] ?? 1);
  if (factors.every((factor) => factor === 1)) return profile;
  const named = (type: SampleType): SampleType =>
    type.unit in toNanoseconds ? { ...type, unit: 'nanoseconds' } : type;
  return {
    ...profile,
    sampleTypes: profile.sampleTypes.map(named),
    period: profile.period * (toNanoseconds[profile.periodType.unit] ?? 1),
    periodType: named(profile.periodType),
    samples: profile.samples.map((sample) => ({
      ...sample,
      values: sample.values.map((value, column) => value * (factors[column] ?? 1)),
    })),
  };
}

const toNanoseconds: Readonly<Record<string, number>> = { microseconds: 1e3, milliseconds: 1e6 };

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
