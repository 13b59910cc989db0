import { createMesh, type MeshApi, type MeshConfig, type MeshOptions } from '../../../src/index.ts';

/** Where a mesh may run; each promise of the API holds in both. */
export const modes = ['inProcess', 'worker'] as const;
export type Mode = (typeof modes)[number];

export function startMesh(mode: Mode, config: MeshConfig = {}, options?: MeshOptions): Promise<MeshApi> {
  return mode === 'worker'
    ? createMesh({ ...config, mode: 'worker' }, options)
    : createMesh({ ...config, mode: 'inProcess' }, options);
}
