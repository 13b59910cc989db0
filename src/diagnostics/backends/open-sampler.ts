import { messageOf } from '../../core/base/errors.ts';
import type { BackendChoice, NativeSampler } from './backend.ts';
import { createDatadogSampler } from './datadog.ts';
import { createPprofSampler } from './pprof.ts';

export interface OpenedSampler {
  /** Undefined means the inspector. */
  readonly sampler: NativeSampler | undefined;
  /** Why another than the one asked for is used; '' when it is that one. */
  readonly note: string;
}

/** The native sampler of that name on this thread, or why the inspector takes its place. */
export function openSampler(choice: BackendChoice): OpenedSampler {
  if (choice === 'inspector') return { sampler: undefined, note: '' };
  try {
    return { sampler: choice === 'pprof' ? createPprofSampler() : createDatadogSampler(), note: '' };
  } catch (thrown) {
    const note = `${messageOf(thrown)}; the inspector is used instead`;
    return { sampler: undefined, note: choice === 'auto' ? '' : note };
  }
}
