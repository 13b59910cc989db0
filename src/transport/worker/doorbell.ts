import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, constants, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isMainThread } from 'node:worker_threads';

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
const wake = Buffer.from([1]);
const makeTimeoutMs = 2000;

/** Wakes the other thread, and is woken by it. */
export interface Doorbell {
  ring(): void;
  /** Calls back when the other thread has rung, once for several rings. */
  onRing(run: () => void): void;
  close(): void;
}

/** File descriptors of one end. */
export interface BellEnd {
  /** Rung by writing here. */
  readonly to: number;
  /** Reading begins here. */
  readonly from: number;
}

/**
 * One end of a pair of named pipes between two threads of one process, a byte to wake. A message port costs 8 us more
 * for the way there and back (two threads on one core, 256 bytes there, 1,280 back: 22.7 against 14.1 us; on two cores
 * 23.2 against 14.7): its sender wakes the receiver with a lock in its hand for which the receiver then waits.
 */
export class PipeBell implements Doorbell {
  readonly #to: number;
  readonly #from: Socket;
  #run: () => void = () => {};
  #isClosed = false;

  /** @param end `from` is closed with the bell, `to` is not: see `AppBell` */
  constructor({ to, from }: BellEnd) {
    this.#to = to;
    const buffer = Buffer.allocUnsafeSlow(64);
    const callback = (): boolean => {
      this.#run();
      return true;
    };
    this.#from = new Socket({ fd: from, readable: true, writable: false, onread: { buffer, callback } });
    this.#from.on('error', () => {});
    this.#from.resume();
    this.#from.unref();
  }

  ring(): void {
    if (!this.#isClosed) writeSync(this.#to, wake);
  }

  onRing(run: () => void): void {
    this.#run = run;
  }

  close(): void {
    this.#isClosed = true;
    this.#from.destroy();
  }
}

/** Where the pipes of one worker have their names, as long as they have any. */
export const bellDirectory = (): string => join(tmpdir(), `heddle-${randomUUID()}`);

/**
 * Makes the pipes; false where there are none to be had: not Linux, no `mkfifo`, no temporary directory, a program that
 * may start no other. Called by the worker, whose time it takes.
 */
export async function makePipes(directory: string): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  try {
    mkdirSync(directory, { mode: 0o700 });
    await promisify(execFile)('mkfifo', ['-m', '600', ...pathsIn(directory)], { timeout: makeTimeoutMs });
    return true;
  } catch {
    return false;
  }
}

/**
 * All four ends, opened by the application: a worker closes what it has opened itself when it ends, also what a socket
 * of it has closed before, and by then the number may be somebody else's.
 */
export class AppBell {
  readonly bell: Doorbell;
  /** What the worker makes its bell of. It closes `from` from then on, and `to` never. */
  readonly workerEnd: BellEnd;
  readonly #to: number;

  constructor(ends: readonly [appFrom: number, workerTo: number, workerFrom: number, appTo: number]) {
    const [appFrom, workerTo, workerFrom, appTo] = ends;
    this.#to = appTo;
    this.bell = new PipeBell({ to: appTo, from: appFrom });
    this.workerEnd = { to: workerTo, from: workerFrom };
  }

  /** The worker is gone. @param wasTaken it had made its bell */
  close(wasTaken: boolean): void {
    this.bell.close();
    closeSync(this.#to);
    closeSync(this.workerEnd.to);
    if (!wasTaken) closeSync(this.workerEnd.from);
  }
}

/** Opens the pipes, which have no names any more then. Null when that fails, or on a thread that is a worker itself. */
export function openPipes(directory: string): AppBell | null {
  if (!isMainThread) return null;
  const [toApp, toWorker] = pathsIn(directory);
  const ends: number[] = [];
  try {
    for (const path of [toApp, toWorker]) {
      // A pipe can be opened for writing when somebody reads.
      ends.push(openSync(path, O_RDONLY | O_NONBLOCK), openSync(path, O_WRONLY | O_NONBLOCK));
    }
    return new AppBell(ends as [number, number, number, number]);
  } catch {
    for (const end of ends) closeSync(end);
    return null;
  } finally {
    removePipes(directory);
  }
}

/** Takes the names away. */
export function removePipes(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch {
    // The system clears its temporary directory.
  }
}

const pathsIn = (directory: string): readonly [toApp: string, toWorker: string] => [
  join(directory, 'to-app'),
  join(directory, 'to-worker'),
];
