/** Starts processes and leaves none behind: not after an error, not after Ctrl-C, not when the harness itself is killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { processTree } from './proc.ts';

export interface LaunchSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The core to pin to; null leaves the choice to the kernel. */
  readonly core: number | null;
  /** Where its output goes; default: nowhere. `pipe` gives stdin and stdout to the caller and stderr to the log. */
  readonly log?: string;
  readonly pipe?: boolean;
}

const graceMs = 3_000;

export class Children {
  readonly #alive = new Set<ChildProcess>();
  readonly #launcher: string;

  /** @param launcher the compiled bench/load/launch.c: pins, raises the descriptor limit, ends with the harness. */
  constructor(launcher: string) {
    this.#launcher = launcher;
    process.on('exit', this.#killAll);
  }

  start(spec: LaunchSpec): ChildProcess {
    const log = spec.log === undefined ? 'ignore' : openSync(spec.log, 'a');
    const child = spawn(this.#launcher, [String(spec.core ?? '-'), spec.command, ...spec.args], {
      cwd: spec.cwd,
      env: { ...process.env, ...spec.env },
      stdio: spec.pipe ? ['pipe', 'pipe', log] : ['ignore', log, log],
    });
    this.#alive.add(child);
    child.once('exit', () => this.#alive.delete(child));
    child.once('error', () => this.#alive.delete(child));
    return child;
  }

  /** Asks a process to end, then insists, with whatever it started itself. */
  async stop(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const tree = processTree(child.pid);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const insist = setTimeout(() => killEach(tree), graceMs);
    await exited;
    clearTimeout(insist);
    killEach(tree);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#alive].map((child) => this.stop(child)));
    process.off('exit', this.#killAll);
  }

  /** The last resort, synchronous, for the exit event. */
  readonly #killAll = (): void => {
    for (const child of this.#alive) {
      if (child.pid !== undefined) killEach(processTree(child.pid));
    }
  };
}

function killEach(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}
