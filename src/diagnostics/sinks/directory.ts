import { chmod, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sink } from '../../core/contract/sink.ts';
import { openDirectory } from '../captures/directory.ts';

/** Copies the files of each capture to a further directory, e.g. a mounted volume; 0600 there too. */
export function directorySink({ path }: { readonly path: string }): Sink {
  return {
    name: 'directory',
    deliver: async ({ files }) => {
      openDirectory(path);
      for (const file of files) {
        const copy = join(path, file.name);
        await copyFile(file.path, copy);
        await chmod(copy, 0o600);
      }
    },
  };
}
