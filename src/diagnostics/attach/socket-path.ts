import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeddleError } from '../../core/base/errors.ts';
import { readProcess } from './process-table.ts';

/**
 * The directory of control sockets: in the user's runtime directory, or 0700 in the temporary one. A directory there
 * that belongs to somebody else or is open to others is refused, since whoever owns it could answer in our name.
 * @throws HeddleError ERR_ATTACH_REFUSED
 */
export function controlDirectory(): string {
  const uid = process.getuid?.() ?? 0;
  const directory = join(process.env['XDG_RUNTIME_DIR'] ?? tmpdir(), `heddle-${uid}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const facts = lstatSync(directory);
  if (!facts.isDirectory() || facts.uid !== uid || (facts.mode & 0o077) !== 0) {
    throw new HeddleError(
      'ERR_ATTACH_REFUSED',
      `${directory} is not a directory of this user with mode 0700`,
    );
  }
  return directory;
}

/** Control socket of one process; the start time keeps a reused pid from being taken for its predecessor. */
export function controlSocketPath(pid: number): string {
  const startTicks = readProcess(pid)?.startTicks ?? 0;
  return join(controlDirectory(), `${pid}-${startTicks}.sock`);
}

/** Removes sockets that processes left behind when they were killed. */
export function removeStaleSockets(): void {
  const directory = controlDirectory();
  for (const name of readdirSync(directory)) {
    const [, pid, startTicks] = /^(\d+)-(\d+)\.sock$/.exec(name) ?? [];
    const [, launcher] = /^watch-(\d+)\.sock$/.exec(name) ?? [];
    const isStale =
      (pid !== undefined && readProcess(Number(pid))?.startTicks !== Number(startTicks)) ||
      (launcher !== undefined && readProcess(Number(launcher)) === undefined);
    if (isStale) rmSync(join(directory, name), { force: true });
  }
}
