import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { once } from './once.ts';
import { siblingUrl } from './sibling.ts';

/**
 * A module of ours that is loaded, at once, the first time it is asked for. The build gives it an entry of its own.
 *
 * @param name as in `siblingUrl`
 * @param caller the `import.meta.url` of the caller
 * @example
 * const library = lateModule<typeof import('./library.ts')>('./library', import.meta.url);
 * library().use();
 */
export function lateModule<Module>(name: string, caller: string): () => Module {
  return once(() => createRequire(caller)(fileURLToPath(siblingUrl(name, caller))) as Module);
}
