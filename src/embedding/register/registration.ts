import type { Mesh } from '../../mesh.ts';
import type { MeshApi } from '../../mesh-api.ts';

/** What `heddle/register` has begun. */
export interface Registration {
  /** Path of its configuration; null: it observes only. */
  readonly configPath: string | null;
  /** Where calls go; null while nothing has needed it, which is until a server listens where there is no configuration. */
  readonly mesh: Mesh | MeshApi | null;
  /** Takes everything back: functions, dispatchers and servers are as they were before, the mesh is closed. */
  unregister(): Promise<void>;
}

/** The parts of a registration that a configuration asks for. */
export interface Started {
  readonly mesh: Mesh | MeshApi;
  /** Protects servers. */
  readonly ingress: MeshApi;
  close(): Promise<void>;
}
