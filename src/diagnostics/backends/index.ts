import type { BackendChoice, ProfilerBackend } from './backend.ts';
import { createInspectorBackend } from './inspector.ts';
import { nativeBackend } from './native.ts';
import { openSampler } from './open-sampler.ts';

export type { BackendChoice, BackendName, CpuSampling, NativeSampler, ProfilerBackend } from './backend.ts';

export interface OpenedBackend {
  readonly backend: ProfilerBackend;
  /** Why another than the one asked for is used; '' when it is that one. */
  readonly note: string;
}

/** The backend of that name for the calling thread, or the inspector with a note that says why. */
export function openBackend(choice: BackendChoice = 'inspector'): OpenedBackend {
  const { sampler, note } = openSampler(choice);
  return { backend: sampler === undefined ? createInspectorBackend() : nativeBackend(sampler), note };
}
