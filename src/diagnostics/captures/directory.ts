import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { HeddleError, messageOf } from '../../core/base/errors.ts';

/** Bounds of a capture directory; the oldest files go first. */
export interface DirectoryBounds {
  /** @default 100 */
  readonly maxFiles: number;
  /** @default 1073741824 */
  readonly maxBytes: number;
  /** @default 604800000 (7 days) */
  readonly maxAgeMs: number;
}

/** Only files that the monitor named are ever removed. */
const ownFile = /\.(pb\.gz|cpuprofile|heapprofile|heapsnapshot|verdict\.json|verdict\.md|json|txt)$/;
const ownName = /-e\d+[.-]|-e\d+$/;

/** Where captures go when nothing is said: HEDDLE_PROFILES, or a directory of the user's own under the system's temporary one. */
export function defaultDirectory(): string {
  const named = process.env['HEDDLE_PROFILES'];
  if (named !== undefined && named !== '') return named;
  return join(tmpdir(), `heddle-profiles-${userInfo().username}`);
}

/**
 * Makes the directory (0700) and checks that it may be trusted: profiles hold secrets, and a name in a shared
 * temporary directory may have been taken by somebody else. Throws ERR_MONITOR_DIRECTORY.
 */
export function openDirectory(path: string): void {
  try {
    makeDirectory(path);
    const found = lstatSync(path);
    const uid = process.getuid?.();
    if (uid !== undefined && found.uid !== uid && uid !== 0) throw new Error('it belongs to another user');
    if (found.isSymbolicLink() && isShared(path))
      throw new Error('it is a link in a directory that others may write');
    const probe = join(path, `.heddle-${process.pid}`);
    writeFileSync(probe, '', { mode: 0o600 });
    rmSync(probe);
  } catch (error) {
    throw new HeddleError('ERR_MONITOR_DIRECTORY', `${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Not `recursive`: on a file system that refuses with ENOENT (/proc) Node then tries for ever. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectory(parent);
  mkdirSync(path, { mode: 0o700 });
}

const isShared = (path: string): boolean => (statSync(join(path, '..')).mode & 0o002) !== 0;

/** Writes a file that only its owner can read; the name appears when it is complete. Nothing is left of a failure. */
export function writePrivate(path: string, data: string | Uint8Array): void {
  const draft = `${path}.part`;
  const write = (): void => writeFileSync(draft, data, { mode: 0o600, flag: 'wx' });
  try {
    writeOrMakeDirectory(write, dirname(path));
    renameSync(draft, path);
  } catch (error) {
    // A draft that was there already is another writer's.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') rmSync(draft, { force: true });
    throw error;
  }
}

/** What cleans up temporary directories takes those of long-lived processes, too. */
function writeOrMakeDirectory(write: () => void, directory: string): void {
  try {
    write();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    openDirectory(directory);
    write();
  }
}

/** Points `latest` at a file of the same directory. */
export function linkLatest(directory: string, name: string, link = 'latest'): void {
  const draft = join(directory, `.${link}-${process.pid}`);
  rmSync(draft, { force: true });
  symlinkSync(name, draft);
  renameSync(draft, join(directory, link));
}

interface Entry {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** What a process that was killed left half-written: drafts and snapshots, which hold all of its memory. */
const leftover = /(-e\d+\..+\.part|^\d+-\d+-(snapshot|coroutines)\.heapsnapshot)$/;
/** No snapshot takes so long to write. */
const leftoverMs = 600_000;

/** Removes what is too old, then the oldest until count and size fit. Returns how many files went. */
export function enforceBounds(directory: string, bounds: DirectoryBounds, nowMs: number): number {
  for (const { path, modifiedMs } of entriesOf(directory, (name) => leftover.test(name)))
    if (nowMs - modifiedMs > leftoverMs) rmSync(path, { force: true });
  const isOwn = (name: string): boolean => ownFile.test(name) && ownName.test(name);
  const entries = entriesOf(directory, isOwn).sort((a, b) => a.modifiedMs - b.modifiedMs);
  let count = entries.length;
  let bytes = entries.reduce((sum, entry) => sum + entry.sizeBytes, 0);
  let removed = 0;
  for (const entry of entries) {
    const isOld = nowMs - entry.modifiedMs > bounds.maxAgeMs;
    if (!isOld && count <= bounds.maxFiles && bytes <= bounds.maxBytes) break;
    rmSync(entry.path, { force: true });
    count--;
    bytes -= entry.sizeBytes;
    removed++;
  }
  return removed;
}

function entriesOf(directory: string, isWanted: (name: string) => boolean): Entry[] {
  const entries: Entry[] = [];
  for (const name of readdirSync(directory)) {
    if (!isWanted(name)) continue;
    try {
      const path = join(directory, name);
      const found = lstatSync(path);
      if (found.isFile()) entries.push({ path, sizeBytes: found.size, modifiedMs: found.mtimeMs });
    } catch {
      // Removed by another monitor meanwhile.
    }
  }
  return entries;
}
