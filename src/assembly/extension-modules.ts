import { HeddleError, messageOf } from '../core/base/errors.ts';
import type { UsedExtension } from '../core/config/extensions.ts';

/** An extension, or the `file:` URL of a module that exports one by default. */
export type UsedModule = UsedExtension | URL | string;

const isModule = (used: UsedModule): used is URL | string => typeof used === 'string' || used instanceof URL;

/**
 * The URLs among `use`, for a mesh that runs on another thread.
 *
 * @throws HeddleError ERR_WORKER_VALUE for an extension that is given as code, ERR_EXTENSION_LOAD for what is no `file:` URL
 */
export function moduleUrls(use: readonly UsedModule[] = []): readonly string[] {
  return use.map((used, i) => {
    if (isModule(used)) return urlOf(used);
    const { name } = used as { name?: unknown };
    const what = typeof name === 'string' ? `, the extension ${JSON.stringify(name)},` : '';
    throw new HeddleError('ERR_WORKER_VALUE', `use[${i}]${what} holds functions`);
  });
}

/**
 * The extensions of `use`, modules imported. A module exports by default an extension, a set or a list of them.
 *
 * @throws HeddleError ERR_EXTENSION_LOAD
 */
export async function loadExtensions(use: readonly UsedModule[] = []): Promise<readonly UsedExtension[]> {
  const all = await Promise.all(use.map((used) => (isModule(used) ? load(urlOf(used)) : [used])));
  return all.flat();
}

function urlOf(used: URL | string): string {
  const url = used instanceof URL ? used : URL.parse(used);
  if (url?.protocol === 'file:') return url.href;
  throw new HeddleError(
    'ERR_EXTENSION_LOAD',
    `${JSON.stringify(String(used).slice(0, 200))} is no file: URL`,
  );
}

async function load(url: string): Promise<readonly UsedExtension[]> {
  let exported: unknown;
  try {
    exported = ((await import(url)) as { default?: unknown }).default;
  } catch (thrown) {
    throw new HeddleError('ERR_EXTENSION_LOAD', `${url}: ${messageOf(thrown)}`, { cause: thrown });
  }
  const all = Array.isArray(exported) ? (exported as unknown[]) : [exported];
  for (const each of all) {
    if (typeof each !== 'object' || each === null) {
      throw new HeddleError(
        'ERR_EXTENSION_LOAD',
        `${url}: the default export is ${each === null ? 'null' : typeof each}`,
      );
    }
  }
  return all as UsedExtension[];
}
