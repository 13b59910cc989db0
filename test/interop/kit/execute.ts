import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { NotInstalled } from './check.ts';

/** The program's path. @throws NotInstalled */
export function requireProgram(name: string, hint: string): string {
  const { stdout } = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name], { encoding: 'utf8' });
  const path = stdout.trim();
  if (path === '') throw new NotInstalled(name, hint);
  return path;
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a program to its end; killed after `limitMs`. */
export async function execute(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly input?: Buffer; readonly limitMs?: number } = {},
): Promise<Finished> {
  const child = spawn(program, args, { cwd: options.cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), options.limitMs ?? 120_000);
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.input);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, stdout: Buffer.concat(stdout), stderr };
}
