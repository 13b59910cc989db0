import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { processTree } from '../../bench/harness/proc.ts';

const script = fileURLToPath(new URL('../../bench/run.ts', import.meta.url));
const isLinux = process.platform === 'linux';
const onLinux = isLinux ? test.serial : test.skip;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function finish(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}

/** Resolves with all processes of the run once it measures. */
async function whileMeasuring(child: ChildProcess): Promise<number[]> {
  let text = '';
  for await (const chunk of child.stderr ?? []) {
    text += chunk;
    if (text.includes('warming up')) break;
  }
  return processTree(child.pid ?? 0);
}

/** Waits, with a deadline, until none of the processes is left; a zombie is not running. */
async function survivors(pids: readonly number[]): Promise<number[]> {
  const deadline = performance.now() + 10_000;
  let left = [...pids];
  while (left.length > 0 && performance.now() < deadline) {
    left = left.filter((pid) => existsSync(`/proc/${pid}/exe`));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return left;
}

test('an unknown suite is refused with a list of those there are', async (t) => {
  const ended = await finish(start(['hopp']));
  t.is(ended.code, 2);
  t.is(ended.stdout, '');
  t.regex(ended.stderr, /There is no suite "hopp"/);
  t.regex(ended.stderr, /compare http1/);
});

test('a number of rounds that is none is refused', async (t) => {
  const ended = await finish(start(['hop', '--rounds', 'many']));
  t.is(ended.code, 2);
  t.regex(ended.stderr, /--rounds must be a number above 0, not "many"/);
});

onLinux('with --json stdout is one object and progress goes to stderr', async (t) => {
  const ended = await finish(start(['hop', '--json', '--rounds', '1', '--seconds', '0.05']));
  const report = JSON.parse(ended.stdout);
  t.deepEqual(Object.keys(report), ['suite', 'machine', 'versions', 'rows', 'goals', 'failures']);
  t.is(report.suite, 'hop');
  t.is(report.goals[0].id, 'hop.addedP50Us');
  t.true(report.rows.every((row: { name: unknown }) => typeof row.name === 'string'));
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  onLinux(`after ${signal} none of its processes is left`, async (t) => {
    const child = start(['hop', '--rounds', '1', '--seconds', '30']);
    const pids = await whileMeasuring(child);
    t.true(pids.length > 1, 'it started nothing');
    child.kill(signal);
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    t.deepEqual(await survivors(pids), []);
    if (signal !== 'SIGKILL') t.is(child.exitCode, signal === 'SIGINT' ? 130 : 143);
  });
}
