/**
 * Builds the package: `node build/run.ts [--without-types] [DIRECTORY]`, into ./dist unless told otherwise. Without
 * types nothing is checked and it takes a second.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const { values, positionals } = parseArgs({
  options: { 'without-types': { type: 'boolean' } },
  allowPositionals: true,
});
const out = resolve(positionals[0] ?? join(root, 'dist'));
rmSync(out, { recursive: true, force: true });
if (values['without-types'] !== true) {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const args = [compiler, '-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--outDir', out];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
await bundle(out);
