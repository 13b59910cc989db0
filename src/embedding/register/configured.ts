import { loadConfigFile } from '../../config-file.ts';
import { ConfigReloader, type ReloaderOptions } from '../../config-reloader.ts';
import type { EffectiveConfig } from '../../core/contract/config.ts';
import type { LogLevel } from '../../core/contract/logger.ts';
import { createJsonLogger } from '../../core/observe/logger.ts';
import { createMesh } from '../../create-mesh.ts';
import { startStandalone } from '../../standalone.ts';
import { SystemClock } from '../../transport/system-clock.ts';
import type { Started } from './registration.ts';

/**
 * Starts what a file describes: its mesh, listeners and admin endpoint included, reloaded when the file changes.
 * With `mode: worker` calls are served by a thread and servers are protected on this one.
 *
 * @throws HeddleError ERR_CONFIG_READ, ERR_CONFIG_INVALID, ERR_LISTENER_ADDRESS
 */
export async function startConfigured(configPath: string, logLevel: LogLevel): Promise<Started> {
  const clock = new SystemClock();
  const logger = createJsonLogger((line) => void process.stderr.write(line), clock, logLevel);
  const config = await loadConfigFile(configPath);
  if (config.mode === 'worker') return await startInWorker(config, { configPath, logger });
  const standalone = await startStandalone({ configPath, logger, logLevel });
  return { mesh: standalone.mesh, ingress: standalone.mesh, close: () => standalone.close() };
}

async function startInWorker(config: EffectiveConfig, options: ReloaderOptions): Promise<Started> {
  const { logger, configPath } = options;
  const mesh = await createMesh(config, { logger });
  const reloader = new ConfigReloader(options, async (next) => {
    if (next.mode !== 'worker')
      logger.warn('another mode is for the next start, the mesh stays in its thread', { file: configPath });
    return await mesh.reload(next);
  });
  reloader.watch();
  const close = async (): Promise<void> => {
    reloader.unwatch();
    await mesh.close();
  };
  return { mesh, ingress: mesh, close };
}
