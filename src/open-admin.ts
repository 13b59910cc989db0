import { adminSections } from './assembly/admin-sections.ts';
import { HeddleError } from './core/base/errors.ts';
import type { Mesh } from './mesh.ts';
import { AdminServer } from './transport/admin/server.ts';

/** An admin endpoint that listens. */
export interface OpenAdmin extends AsyncDisposable {
  /** As bound: with its port, or "unix:/path". */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Opens the admin endpoint (`admin`) of a mesh that this process made itself; `heddle run` opens its own. It closes with
 * the mesh. Applications of other languages publish and subscribe there, see docs/discovery.md.
 *
 * @throws HeddleError ERR_OPTION_INVALID when the configuration has no admin endpoint or opens it to others without a
 *   token, ERR_LISTENER_ADDRESS
 * @example
 * const mesh = await createMesh({ admin: { address: 'unix:/run/app-mesh.sock' } });
 * const admin = await openAdmin(mesh);
 */
export async function openAdmin(mesh: Mesh): Promise<OpenAdmin> {
  const { admin } = mesh.config;
  if (admin === undefined)
    throw new HeddleError('ERR_OPTION_INVALID', 'the configuration has no admin.address');
  const { logger, clock } = mesh.runtime;
  const server = await new AdminServer({
    address: admin.address,
    token: admin.token ?? null,
    sections: adminSections(mesh, logger, clock.now()),
    logger,
  }).start();
  void mesh.closed.then(() => server.close());
  return server;
}
