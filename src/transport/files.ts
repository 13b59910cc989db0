import { type FSWatcher, realpathSync, statSync, watch } from 'node:fs';
import { open, readFile, realpath, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock, Timer } from '../core/base/clock.ts';
import type { FileAccess } from '../core/contract/registry.ts';

/** Events of one save are joined. */
const settleMs = 50;
/** Network file systems and links further up the path send no event: a look at the file finds their changes. */
const lookMs = 2000;

/** Files of the machine. */
export function createFileAccess(clock: Clock): FileAccess {
  let writes = 0;
  return {
    readText: (path) => readFile(path, 'utf8'),
    writeText: (path, text, mode) => writeAtomically(path, text, mode, `${process.pid}-${++writes}`),
    watch: (path, onChange) => {
      const watcher = new FileWatcher(path, clock, onChange);
      return () => watcher.close();
    },
  };
}

/** Readers see the old text or the new one, never a part; a crash leaves one of the two. Links are followed. */
async function writeAtomically(path: string, text: string, mode: number, suffix: string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const temporary = join(dirname(target), `.${basename(target)}.${suffix}.tmp`);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      // The mode of `open` is cut by the umask.
      await file.chmod(mode);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
}

/**
 * Watches a path, not a file: directories are watched because a rename or a swapped link (Kubernetes' `..data`) gives
 * the path another file. What counts is the fingerprint of whatever the path leads to.
 */
class FileWatcher {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #fingerprint: string;
  #settle: Timer | null = null;
  #look: Timer | null = null;
  #isClosed = false;

  constructor(path: string, clock: Clock, onChange: () => void) {
    this.#path = path;
    this.#clock = clock;
    this.#onChange = onChange;
    // At once, so that a change right after `watch` returns is one.
    const target = targetOf(path);
    this.#fingerprint = fingerprintOf(target);
    this.#watchDirectory(dirname(path));
    if (target !== null) this.#watchDirectory(dirname(target));
    this.#lookLater();
  }

  close(): void {
    this.#isClosed = true;
    this.#settle?.cancel();
    this.#look?.cancel();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #touched(): void {
    if (this.#isClosed) return;
    this.#settle?.cancel();
    this.#settle = this.#clock.setTimer(settleMs, () => this.#check());
  }

  #lookLater(): void {
    this.#look?.cancel();
    this.#look = this.#clock.setTimer(lookMs, () => this.#check());
  }

  #check(): void {
    if (this.#isClosed) return;
    this.#lookLater();
    const target = targetOf(this.#path);
    const fingerprint = fingerprintOf(target);
    if (target !== null) this.#watchDirectory(dirname(target));
    // A file that is missing right now is in the middle of a swap: what comes next is the change.
    if (fingerprint === '' || fingerprint === this.#fingerprint) return;
    this.#fingerprint = fingerprint;
    this.#onChange();
  }

  #watchDirectory(directory: string): void {
    if (this.#watchers.has(directory)) return;
    try {
      const watcher = watch(directory, { persistent: false }, () => this.#touched());
      watcher.on('error', () => this.#unwatch(directory));
      this.#watchers.set(directory, watcher);
    } catch {
      // No such directory, or no watches left: the look every two seconds serves.
    }
  }

  #unwatch(directory: string): void {
    this.#watchers.get(directory)?.close();
    this.#watchers.delete(directory);
  }
}

function targetOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

function fingerprintOf(target: string | null): string {
  const facts = target === null ? undefined : statSync(target, { bigint: true, throwIfNoEntry: false });
  return facts === undefined ? '' : `${target} ${facts.dev} ${facts.ino} ${facts.mtimeNs} ${facts.size}`;
}
