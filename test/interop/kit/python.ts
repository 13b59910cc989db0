import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { NotInstalled } from './check.ts';
import { execute } from './execute.ts';

const cache = join(homedir(), '.cache', 'heddle-interop', 'python');
const installLimitMs = 300_000;

/** A Python that has the package: the machine's own, or one of an environment that is made once. @throws NotInstalled */
export async function pythonWith(module: string, requirement: string): Promise<string> {
  const has = (python: string): boolean =>
    spawnSync(python, ['-c', `import ${module}`], { stdio: 'ignore' }).status === 0;
  if (has('python3')) return 'python3';
  const place = join(cache, requirement);
  const own = join(place, 'bin', 'python');
  if (existsSync(own) && has(own)) return own;
  await mkdir(cache, { recursive: true });
  const made = await execute('python3', ['-m', 'venv', place], { limitMs: installLimitMs }).catch(() => null);
  const pip = ['-m', 'pip', 'install', '--quiet', requirement];
  const done = made?.code === 0 ? await execute(own, pip, { limitMs: installLimitMs }) : null;
  if (done?.code !== 0 || !has(own)) {
    throw new NotInstalled(
      module,
      `pip install ${requirement} (python3-venv), or apt-get install python3-grpcio`,
    );
  }
  return own;
}
