import { close, fstatSync, openSync, stat, writev } from 'node:fs';
import { HeddleError, messageOf } from '../core/base/errors.ts';
import type { LogOutput, LogOutputs } from '../core/contract/log-output.ts';
import type { Logger } from '../core/contract/logger.ts';

/** Bytes that may wait for a slow disk or pipe; what comes on top is dropped and counted, no request waits. */
const maxPendingBytes = 8 * 1024 * 1024;
/** Batches that leave in one `writev`. */
const maxBatches = 64;
const fileMode = 0o640;
/** How often a file is looked at for having been moved or deleted. */
const rotationCheckMs = 1000;
/** A pipe that takes nothing now is tried again after this. */
const retryMs = 10;
/** A reader that takes nothing at all does not hold up the end for longer. */
const closeTimeoutMs = 3000;

const standard: Readonly<Record<string, number>> = { stdout: 1, stderr: 2 };

export interface OpenLogOutputs extends LogOutputs {
  /** Opens every file anew, after a rotation moved it. Without it that is noticed within a second of writing. */
  reopen(): void;
  /** Writes what batches still gather, waits for it (3 s at most), closes the files. */
  close(): Promise<void>;
}

/** Access-log outputs of one mesh; the same path gives the same output. */
export function createLogOutputs(options: { readonly logger: Logger }): OpenLogOutputs {
  const outputs = new Map<string, FileOutput>();
  return {
    open(path) {
      let output = outputs.get(path);
      if (output === undefined) {
        output = new FileOutput(path, options.logger);
        outputs.set(path, output);
      }
      return output;
    },
    reopen() {
      for (const output of outputs.values()) output.reopen();
    },
    async close() {
      await Promise.all([...outputs.values()].map((output) => output.close()));
      outputs.clear();
    },
  };
}

interface Batch {
  readonly bytes: Buffer;
  readonly lines: number;
}

/**
 * Appends with one write at a time; batches that arrive meanwhile wait, bounded, and leave together. A failed write
 * (disk full, reader gone) costs its lines only, and they are counted. The descriptor is changed between writes only:
 * one that is closed under a write may already be another file's.
 */
class FileOutput implements LogOutput {
  readonly gathering = new Set<{ flush(): void }>();
  readonly #path: string;
  readonly #logger: Logger;
  readonly #isFile: boolean;
  #waiting: Batch[] = [];
  #pendingBytes = 0;
  #lostLines = 0;
  #descriptor: number;
  #isWriting = false;
  #wantsReopen = false;
  #checkedMs = Number.NEGATIVE_INFINITY;
  #whenIdle: (() => void) | null = null;

  /** @throws HeddleError ERR_OPTION_INVALID */
  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
    this.#isFile = !Object.hasOwn(standard, path);
    this.#descriptor = this.#open();
  }

  write(bytes: Buffer, lines: number): boolean {
    if (this.#pendingBytes + bytes.length > maxPendingBytes) return false;
    this.#pendingBytes += bytes.length;
    this.#waiting.push({ bytes, lines });
    if (!this.#isWriting) this.#next();
    return true;
  }

  takeLost(): number {
    const lost = this.#lostLines;
    this.#lostLines = 0;
    return lost;
  }

  reopen(): void {
    if (!this.#isFile) return;
    if (this.#isWriting) this.#wantsReopen = true;
    else this.#exchange();
  }

  async close(): Promise<void> {
    for (const batch of [...this.gathering]) batch.flush();
    if (this.#isWriting && !(await this.#idle())) return;
    if (this.#isFile) close(this.#descriptor, () => {});
  }

  /** False when writing goes on after the limit: the descriptor is left to that write then. */
  #idle(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, closeTimeoutMs, false);
      this.#whenIdle = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  #open(): number {
    if (!this.#isFile) return standard[this.#path] as number;
    try {
      return openSync(this.#path, 'a', fileMode);
    } catch (thrown) {
      const detail = `access log ${this.#path}: ${messageOf(thrown)}`;
      throw new HeddleError('ERR_OPTION_INVALID', detail, { cause: thrown });
    }
  }

  #exchange(): void {
    this.#wantsReopen = false;
    const before = this.#descriptor;
    try {
      this.#descriptor = this.#open();
      close(before, () => {});
    } catch (thrown) {
      const fields = { path: this.#path, error: messageOf(thrown) };
      this.#logger.warn('an access log could not be reopened', fields);
    }
  }

  #next(): void {
    if (this.#wantsReopen) this.#exchange();
    if (this.#waiting.length === 0) {
      this.#isWriting = false;
      this.#whenIdle?.();
      this.#whenIdle = null;
      return;
    }
    this.#isWriting = true;
    const batches = this.#waiting.splice(0, maxBatches);
    this.#append(
      batches,
      batches.map((each) => each.bytes),
      0,
    );
  }

  #append(batches: readonly Batch[], buffers: readonly Buffer[], tries: number): void {
    writev(this.#descriptor, buffers, (error, written) => {
      if (error !== null) {
        this.#failed(error, batches, buffers, tries);
        return;
      }
      const rest = skip(buffers, written);
      if (rest.length > 0) this.#append(batches, rest, 0);
      else this.#finished(batches);
    });
  }

  #failed(
    error: NodeJS.ErrnoException,
    batches: readonly Batch[],
    buffers: readonly Buffer[],
    tries: number,
  ): void {
    if (error.code === 'EAGAIN' && tries * retryMs < closeTimeoutMs) {
      setTimeout(() => this.#append(batches, buffers, tries + 1), retryMs);
      return;
    }
    const lines = batches.reduce((sum, each) => sum + each.lines, 0);
    this.#lostLines += lines;
    this.#logger.warn('access log lines were lost', { path: this.#path, lines, error: error.message });
    this.#finished(batches);
  }

  #finished(batches: readonly Batch[]): void {
    for (const each of batches) this.#pendingBytes -= each.bytes.length;
    const now = performance.now();
    if (!this.#isFile || now - this.#checkedMs < rotationCheckMs) {
      this.#next();
      return;
    }
    this.#checkedMs = now;
    stat(this.#path, (error, at) => {
      const open = error === null ? fstatSync(this.#descriptor) : null;
      if (open === null || open.ino !== at.ino || open.dev !== at.dev) this.#wantsReopen = true;
      this.#next();
    });
  }
}

function skip(buffers: readonly Buffer[], written: number): Buffer[] {
  const rest: Buffer[] = [];
  let left = written;
  for (const each of buffers) {
    if (left < each.length) rest.push(left > 0 ? each.subarray(left) : each);
    left = Math.max(0, left - each.length);
  }
  return rest;
}
