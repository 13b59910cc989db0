/** Compiles the C programs of bench/load on first use; a changed source means a new directory. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Unavailable } from './suite.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../', import.meta.url));
const sources = join(repository, 'bench/load');

/** Where compiled tools live; `npm ci` clears it. */
const toolCache = join(repository, 'node_modules/.cache/heddle-bench');

export interface Tools {
  readonly load: string;
  readonly backend: string;
  readonly framed: string;
  readonly launch: string;
  readonly cpuclock: string;
}

/** @throws Unavailable where there is no Linux or no C compiler. */
export async function compileTools(): Promise<Tools> {
  if (process.platform !== 'linux') throw new Unavailable('the load generator needs Linux (epoll, /proc)');
  const directory = join(toolCache, `load-${hashOfSources()}`);
  const tools = {
    load: join(directory, 'load'),
    backend: join(directory, 'backend'),
    framed: join(directory, 'framed'),
    launch: join(directory, 'launch'),
    cpuclock: join(directory, 'cpuclock'),
  };
  mkdirSync(directory, { recursive: true });
  for (const [name, target] of Object.entries(tools)) {
    if (!existsSync(target)) await compile(join(sources, `${name}.c`), target);
  }
  return tools;
}

function hashOfSources(): string {
  const hash = createHash('sha256');
  for (const file of globSync('*.{c,h}', { cwd: sources }).toSorted()) {
    hash.update(file).update(readFileSync(join(sources, file)));
  }
  return hash.digest('hex').slice(0, 12);
}

async function compile(source: string, target: string): Promise<void> {
  const partial = `${target}.${process.pid}`;
  try {
    await run('gcc', ['-O2', '-Wall', '-o', partial, source]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new Unavailable('no gcc: the load generator is C and is compiled on first use; install gcc');
    }
    throw error;
  }
  renameSync(partial, target);
}
