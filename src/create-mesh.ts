import type { MeshConfig } from './core/config/input.ts';
import { createMesh as createInProcessMesh, type Mesh, type MeshOptions } from './mesh.ts';
import type { MeshApi } from './mesh-api.ts';

/**
 * Starts a mesh: on this thread, or with `mode: 'worker'` in a thread of its own. Without listeners it opens no socket:
 * use `mesh.request`, `mesh.fetch`, `mesh.connect`.
 *
 * @throws HeddleError ERR_CONFIG_INVALID with every problem, ERR_LISTENER_ADDRESS, ERR_EXTENSION_LOAD;
 *   with mode "worker" ERR_WORKER_VALUE, ERR_WORKER_START
 * @example
 * await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: ['127.0.0.1:8080'] }] });
 * const response = await mesh.fetch('http://users/42');
 */
export function createMesh(
  config: MeshConfig & { readonly mode: 'worker' },
  options?: MeshOptions,
): Promise<MeshApi>;
export function createMesh(config?: MeshConfig, options?: MeshOptions): Promise<Mesh>;
export async function createMesh(config: MeshConfig = {}, options: MeshOptions = {}): Promise<MeshApi> {
  if (config?.mode !== 'worker') return await createInProcessMesh(config, options);
  // The thread's parts are loaded where they are wanted.
  const { createWorkerMesh } = await import('./worker-mesh.ts');
  return await createWorkerMesh(config, options);
}
