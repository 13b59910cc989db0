import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { HeddleError, messageOf } from '../core/base/errors.ts';
import type { Capture } from '../core/contract/sink.ts';

const page = /\.verdict\.json$/;

/**
 * The captures of a directory, newest first, from the JSON pages that the monitor writes beside each. A page that
 * cannot be read is left out; files are named as they lie there now, wherever the directory was moved.
 * @throws HeddleError ERR_PROFILE_INVALID when there is no such directory.
 */
export async function listCaptures(directory: string): Promise<Capture[]> {
  const names = await readdir(directory).catch((cause: unknown) => {
    throw new HeddleError('ERR_PROFILE_INVALID', reasonOf(cause, directory), { cause });
  });
  const present = new Set(names);
  const captures: Capture[] = [];
  for (const name of names) {
    if (!page.test(name)) continue;
    const capture = await readPage(join(directory, name));
    if (capture !== undefined) captures.push(relocated(capture, directory, present));
  }
  return captures.sort((a, b) => b.startMs - a.startMs);
}

function reasonOf(cause: unknown, directory: string): string {
  const { code } = cause as NodeJS.ErrnoException;
  return code === 'ENOENT' ? `there is no directory ${directory}` : messageOf(cause);
}

async function readPage(path: string): Promise<Capture | undefined> {
  try {
    const capture = JSON.parse(await readFile(path, 'utf8')) as Partial<Capture>;
    return capture.schema === 1 && Array.isArray(capture.files) ? (capture as Capture) : undefined;
  } catch {
    return undefined;
  }
}

function relocated(capture: Capture, directory: string, present: ReadonlySet<string>): Capture {
  const files = capture.files
    .map((file) => ({ ...file, name: basename(file.path), path: join(directory, basename(file.path)) }))
    .filter(({ name }) => present.has(name));
  return { ...capture, files };
}
