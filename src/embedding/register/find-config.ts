import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/**
 * The configuration of a program that says nothing in its code: what HEDDLE_CONFIG names, else `heddle.yaml` beside the
 * nearest package.json above the program's file. Null: there is none.
 *
 * @param program path of the main module, "" when there is none (REPL, `node -e`)
 */
export function findConfig(named: string | undefined, program: string, directory: string): string | null {
  if (named !== undefined && named !== '') return resolve(directory, named);
  let folder = program === '' ? directory : dirname(resolve(directory, program));
  for (;;) {
    if (existsSync(join(folder, 'package.json'))) {
      const path = join(folder, 'heddle.yaml');
      return existsSync(path) ? path : null;
    }
    const above = dirname(folder);
    if (above === folder) return null;
    folder = above;
  }
}
