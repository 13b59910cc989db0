import { installDispatcher } from './dispatcher/global.ts';
import { hookHttp } from './http/hooks.ts';
import type { MeshPort } from './port.ts';

/**
 * Lets calls of this process to names that the mesh knows go through it, whoever makes them: global `fetch`, undici,
 * `node:http`, `node:https` and what is built on them. Calls to other hosts are left as they were.
 *
 * @returns takes everything back
 */
export function interceptOutbound(port: MeshPort): () => void {
  const undo = [installDispatcher(port), hookHttp(port)];
  return () => {
    for (const each of undo) each();
  };
}
