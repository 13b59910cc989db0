import { loadConfigFile } from '../../config-file.ts';
import type { LogLevel } from '../../core/contract/logger.ts';
import { createJsonLogger } from '../../core/observe/logger.ts';
import { createMesh } from '../../create-mesh.ts';
import { startStandalone } from '../../standalone.ts';
import { SystemClock } from '../../transport/system-clock.ts';
import type { Started } from './registration.ts';

/**
 * Starts what a file describes: its mesh, listeners and admin endpoint included, reloaded when the file changes.
 * With `mode: worker` calls are served by a thread, servers are protected on this one, and the file is read once.
 *
 * @throws HeddleError ERR_CONFIG_READ, ERR_CONFIG_INVALID, ERR_LISTENER_ADDRESS
 */
export async function startConfigured(configPath: string, logLevel: LogLevel): Promise<Started> {
  const clock = new SystemClock();
  const logger = createJsonLogger((line) => void process.stderr.write(line), clock, logLevel);
  const config = await loadConfigFile(configPath);
  if (config.mode !== 'worker') {
    const standalone = await startStandalone({ configPath, logger, logLevel });
    return { mesh: standalone.mesh, ingress: standalone.mesh, close: () => standalone.close() };
  }
  const mesh = await createMesh(config, { logger });
  return { mesh, ingress: mesh, close: () => mesh.close() };
}
