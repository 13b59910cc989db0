import {
  createMesh,
  type LogFields,
  type Logger,
  type LogLevel,
  type MeshApi,
  type MeshConfig,
  type MeshOptions,
} from '../../../src/index.ts';

/** The module of `test/fixtures/worker-filter.ts`: its header `x-end` ends the thread that it runs in. */
export const marks = new URL('../../fixtures/worker-filter.ts', import.meta.url);

/** A mesh in a worker with the filter of `marks`. */
export function startMarked(config: MeshConfig = {}, options: MeshOptions = {}): Promise<MeshApi> {
  const inProcess = { ...config.inProcess, filters: [{ name: 'marks', config: { mark: 'seen' } }] };
  return createMesh({ ...config, inProcess, mode: 'worker' }, { use: [marks], ...options });
}

export interface LoggedLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** A logger that keeps its lines. */
export function recordingLogger(): Logger & { readonly lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const at = (level: LogLevel) => (message: string, fields?: LogFields) =>
    void lines.push({ level, message, fields });
  return { level: 'info', lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
