/** Looks for a program and asks its version. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Availability } from '../harness/contender.ts';

const run = promisify(execFile);

/** Where peers that are built or unpacked live; it survives `npm ci`. */
const { XDG_CACHE_HOME: cacheHome = join(homedir(), '.cache'), PATH: searchPath = '' } = process.env;
export const peerCache = join(cacheHome, 'heddle-bench');

/** A peer that setup can bring here, or at least find. */
export interface Installable {
  readonly name: string;
  find(): Promise<Availability>;
  /** Brings it into the cache; absent where only the system's package manager can. */
  install?(): Promise<void>;
}

export interface ProgramQuery {
  /** A name on the PATH (system directories are searched too), or a whole path. */
  readonly program: string;
  readonly versionArgs: readonly string[];
  /** Its first group is the version. */
  readonly pattern: RegExp;
  /** What to do when it is not there. */
  readonly hint: string;
}

export async function findProgram(query: ProgramQuery): Promise<Availability> {
  const path = pathOf(query.program);
  if (path === null) return { version: null, reason: `no ${query.program}; ${query.hint}` };
  try {
    const { stdout, stderr } = await run(path, query.versionArgs, { timeout: 10_000 });
    const version = query.pattern.exec(`${stdout}${stderr}`)?.[1];
    return version === undefined
      ? { version: null, reason: `${path} does not tell its version` }
      : { version, path };
  } catch (error) {
    return { version: null, reason: `${path} does not run: ${(error as Error).message.split('\n')[0]}` };
  }
}

function pathOf(program: string): string | null {
  if (program.startsWith('/')) return existsSync(program) ? program : null;
  const directories = [...searchPath.split(':'), '/usr/sbin', '/usr/local/sbin'];
  return directories.map((directory) => join(directory, program)).find((path) => existsSync(path)) ?? null;
}
