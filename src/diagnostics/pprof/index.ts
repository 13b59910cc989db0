/** Reading, writing and comparing profiles. All pure but `symbolise`, which reads source maps from disk. */
export { type CpuProfileMeta, fromCpuProfile, type LabelSpan, type RawCpuProfile } from './cpu-profile.ts';
export { decodePprof } from './decode.ts';
export { type DiffOptions, diffFunctions, diffProfiles, type FunctionChange } from './diff.ts';
export { encodePprof } from './encode.ts';
export { toFolded } from './folded.ts';
export { describeFrame, displayName, pathOf } from './frame-names.ts';
export {
  fromHeapProfile,
  fromHeapSamples,
  type HeapProfileMeta,
  ordinalLabel,
  type RawHeapProfile,
} from './heap-profile.ts';
export { encodeOtlp, type OtlpResource, toOtlpJson } from './otlp.ts';
export { framesTo, mapFrames, ProfileBuilder, type SampleLabels, syntheticFrame } from './profile-builder.ts';
export { toCpuProfile, toSpeedscope } from './speedscope.ts';
export { type SymboliseOptions, symbolise } from './symbolise.ts';
export { type FunctionCost, functionSums, type TopOptions, topFunctions, totalOf } from './top.ts';
