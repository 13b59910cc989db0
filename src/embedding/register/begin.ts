import type { LogLevel } from '../../core/contract/logger.ts';
import { findConfig } from './find-config.ts';
import type { Registration, Started } from './registration.ts';
import { onServerListening } from './servers.ts';

/** Where and how a process starts; `process` in production. */
export interface Place {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly program: string;
  readonly directory: string;
}

/**
 * Makes a process part of the mesh. With a configuration its mesh is ready when this resolves; without one nothing is
 * loaded until a server listens, and that server is then counted and traced.
 *
 * @throws HeddleError what the start of the configured mesh throws
 */
export async function begin({ env, program, directory }: Place): Promise<Registration> {
  const configPath = findConfig(env['HEDDLE_CONFIG'], program, directory);
  return configPath === null ? observing() : await configured(configPath, levelOf(env['HEDDLE_LOG_LEVEL']));
}

async function configured(configPath: string, logLevel: LogLevel): Promise<Registration> {
  const [{ startConfigured }, { interceptOutbound }] = await Promise.all([
    import('./configured.ts'),
    import('../outbound.ts'),
  ]);
  const { mesh, ingress, close } = await startConfigured(configPath, logLevel);
  const undo = [interceptOutbound(mesh)];
  undo.push(onServerListening((server) => undo.push(ingress.protect(server))));
  const unregister = async (): Promise<void> => {
    for (const each of undo.splice(0)) each();
    await close();
  };
  return { configPath, mesh, unregister };
}

function observing(): Registration {
  let started: Promise<Started['ingress']> | null = null;
  let mesh: Started['ingress'] | null = null;
  let isOver = false;
  const undo: (() => void)[] = [];
  const observe = async (server: Parameters<Started['ingress']['protect']>[0]): Promise<void> => {
    started ??= import('../../mesh.ts').then(({ createMesh }) => createMesh());
    mesh = await started;
    if (!isOver) undo.push(mesh.protect(server));
  };
  undo.push(onServerListening((server) => void observe(server)));
  return {
    configPath: null,
    get mesh() {
      return mesh;
    },
    async unregister() {
      isOver = true;
      for (const each of undo.splice(0)) each();
      await (await started)?.close();
    },
  };
}

const levels: readonly string[] = ['debug', 'info', 'warn', 'error', 'off'];

/** An application's stderr is its own: only what needs somebody is told unless more is asked for. */
function levelOf(text: string | undefined): LogLevel {
  return text !== undefined && levels.includes(text) ? (text as LogLevel) : 'warn';
}
