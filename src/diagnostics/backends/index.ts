import { messageOf } from '../../core/base/errors.ts';
import type { BackendName, ProfilerBackend } from './backend.ts';
import { createDatadogBackend } from './datadog-pprof.ts';
import { createInspectorBackend } from './inspector.ts';
import { createPprofBackend } from './pprof.ts';

export type { BackendName, CpuSampling, ProfilerBackend } from './backend.ts';

const makers: Readonly<Record<BackendName, () => ProfilerBackend>> = {
  inspector: createInspectorBackend,
  'datadog-pprof': createDatadogBackend,
  pprof: createPprofBackend,
};

export interface OpenedBackend {
  readonly backend: ProfilerBackend;
  /** Why another than the one asked for is used; '' when it is that one. */
  readonly note: string;
}

/** The backend of that name, or the inspector with a note that says why the other cannot be used here. */
export function openBackend(name: BackendName = 'inspector'): OpenedBackend {
  try {
    return { backend: makers[name](), note: '' };
  } catch (thrown) {
    return { backend: createInspectorBackend(), note: `${messageOf(thrown)}; the inspector is used instead` };
  }
}
