import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A process of the test, killed at its end, with what it wrote. */
export interface Child {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly output: { stdout: string; stderr: string };
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
}

interface Cleaner {
  teardown(clean: () => unknown): void;
}

/** Environment without what the test runner put there. */
export const cleanEnvironment = (extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => {
  const { NODE_V8_COVERAGE: _coverage, NODE_OPTIONS: _options, ...rest } = process.env;
  return { ...rest, ...extra };
};

/** Starts a command and waits until it says `ready` on its output (or only until it runs). */
export async function startChild(
  t: Cleaner,
  command: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly waitForReady?: boolean } = {},
): Promise<Child> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: cleanEnvironment(options.env),
  });
  t.teardown(() => child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  child.stderr.on('data', (data) => {
    output.stderr += data;
  });
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (data) => {
      output.stdout += data;
      if (output.stdout.includes('ready')) resolve();
    });
  });
  await once(child, 'spawn');
  if (options.waitForReady !== false) await Promise.race([ready, exited]);
  return { process: child, pid: child.pid as number, output, exited };
}

/** An application that says `ready`, then runs `code`, and lives until it is killed. */
export const startApp = (
  t: Cleaner,
  code = '',
  flags: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Child> =>
  startChild(
    t,
    process.execPath,
    [...flags, '-e', `setInterval(() => {}, 1e6); console.log('ready'); ${code}`],
    {
      env,
    },
  );

/** A directory of the test's own, removed at its end. */
export async function testDirectory(t: Cleaner): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'heddle-attach-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Asks again until the answer is true; rejects when the deadline has passed. */
export async function until(what: string, isTrue: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!isTrue()) {
    if (performance.now() > deadlineMs) throw new Error(`still waiting for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
