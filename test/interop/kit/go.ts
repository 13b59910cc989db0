import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execute, requireProgram } from './execute.ts';

const sources = fileURLToPath(new URL('../go/', import.meta.url));
const cache = join(homedir(), '.cache', 'heddle-interop', 'go');
/** The first build compiles some hundred packages. */
const buildLimitMs = 900_000;

/** The program of a folder of go/, built once and kept in the cache. @throws NotInstalled */
export async function builtGo(project: string): Promise<string> {
  const go = requireProgram('go', 'apt-get install golang');
  const folder = join(sources, project);
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'main.go']) hash.update(readFileSync(join(folder, file)));
  const place = join(cache, `${project}-${hash.digest('hex').slice(0, 16)}`);
  const program = join(place, project);
  if (existsSync(program)) return program;
  await mkdir(place, { recursive: true });
  // A copy: building may complete go.mod.
  const copy = join(place, 'source');
  await cp(folder, copy, { recursive: true });
  const making = `${program}.${process.pid}`;
  const done = await execute(go, ['build', '-mod=mod', '-o', making, '.'], {
    cwd: copy,
    limitMs: buildLimitMs,
  });
  if (done.code !== 0) throw new Error(`go build failed: ${done.stderr.slice(-2000)}`);
  await rename(making, program);
  return program;
}
