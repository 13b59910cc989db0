import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SeededRandom } from '../../../src/core/base/random.ts';

const rounds = Number(process.env['HEDDLE_SOAK_ROUNDS'] ?? 200);
const atOnce = 2;
const deadlineMs = 30_000;
/** What the monitor may add to an exit, as the middle of all; single ones wait for a core on a busy machine. */
const exitLimitMs = 20;
const versions = ['22', '24', '26'];
const launcher = fileURLToPath(new URL('../../fixtures/diagnostics/launch.ts', import.meta.url));

interface Ending {
  readonly name: string;
  /** Code of the application; `delay` is filled in. */
  readonly code: (delayMs: number) => string;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stderr: RegExp;
}

/** Run in front of each program: notes how long the monitor's own listener takes between the first and the last one. */
const stopwatch = (file: string): string =>
  `{ let started; process.prependListener('exit', () => { started = performance.now(); });
process.on('exit', () => require('node:fs').appendFileSync(${JSON.stringify(file)}, performance.now() - started + ' ')); }
`;

const quiet = /^$/;
/** The ways in which a process ends. Nothing but what the application writes itself may be seen. */
const endings: readonly Ending[] = [
  {
    name: 'by itself',
    code: (ms) => `setTimeout(() => {}, ${ms})`,
    exitCode: 0,
    signal: null,
    stderr: quiet,
  },
  {
    name: 'process.exit',
    code: (ms) => `setTimeout(() => process.exit(3), ${ms})`,
    exitCode: 3,
    signal: null,
    stderr: quiet,
  },
  { name: 'at once', code: () => '', exitCode: 0, signal: null, stderr: quiet },
  { name: 'exit at once', code: () => 'process.exit(4)', exitCode: 4, signal: null, stderr: quiet },
  {
    name: 'exit while busy',
    code: (ms) =>
      `setTimeout(() => { const end = Date.now() + ${ms}; while (Date.now() < end); process.exit(5); }, 20)`,
    exitCode: 5,
    signal: null,
    stderr: quiet,
  },
  {
    name: 'uncaught',
    code: (ms) => `setTimeout(() => { throw new Error('mine'); }, ${ms})`,
    exitCode: 1,
    signal: null,
    stderr: /^(?!.*debugger).*Error: mine/is,
  },
  {
    name: 'signal',
    code: (ms) => `setTimeout(() => process.kill(process.pid, 'SIGTERM'), ${ms}); setInterval(() => {}, 1e6)`,
    exitCode: null,
    signal: 'SIGTERM',
    stderr: quiet,
  },
];

/** Starts and ends watched processes over and over: no hang, no output, the same exit as without the monitor. */
export async function run(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'heddle-soak-'));
  try {
    const failures: string[] = [];
    for (const version of versions) failures.push(...(await soak(version, directory)));
    if (failures.length > 0) throw new Error(failures.slice(0, 10).join('\n'));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function soak(version: string, directory: string): Promise<string[]> {
  const node = fileURLToPath(new URL(`../../interop/node_modules/node-${version}/bin/node`, import.meta.url));
  if (!existsSync(node)) throw new Error(`no Node ${version}: run "npm install" in test/interop`);
  const random = new SeededRandom(Number(version));
  const times = join(directory, `exit-${version}`);
  const failures: string[] = [];
  let next = 0;
  let longestMs = 0;
  const worker = async (): Promise<void> => {
    while (next < rounds) {
      const ending = endings[next++ % endings.length] as Ending;
      const delayMs = Math.floor(random.next() * 400);
      const startMs = performance.now();
      const failure = await once(node, ending, delayMs, { directory, times });
      longestMs = Math.max(longestMs, performance.now() - startMs);
      if (failure !== undefined) failures.push(failure);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const exits = (await readFile(times, 'utf8'))
    .trim()
    .split(' ')
    .map(Number)
    .toSorted((a, b) => a - b);
  const at = (share: number): number => exits[Math.floor((exits.length - 1) * share)] ?? Number.NaN;
  console.log(
    `Node ${version}: ${rounds} processes, ${failures.length} failures, longest ${longestMs.toFixed(0)} ms; ` +
      `the monitor adds ${at(0.5).toFixed(1)} ms to an exit, at most ${at(1).toFixed(1)} ms`,
  );
  if (!(at(0.5) <= exitLimitMs)) failures.push(`exits take ${at(0.5).toFixed(1)} ms longer`);
  return failures.map((failure) => `Node ${version}: ${failure}`);
}

async function once(
  node: string,
  ending: Ending,
  delayMs: number,
  place: { readonly directory: string; readonly times: string },
): Promise<string | undefined> {
  const monitor = JSON.stringify({ directory: place.directory });
  const code = stopwatch(place.times) + ending.code(delayMs);
  const child = spawn(process.execPath, [launcher, monitor, node, '-e', code], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  const [exitCode, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.once('close', (...end) => resolve(end));
  });
  clearTimeout(timer);
  const isRight =
    exitCode === ending.exitCode && signal === ending.signal && stdout === '' && ending.stderr.test(stderr);
  if (isRight) return undefined;
  return `${ending.name} after ${delayMs} ms: code ${exitCode}, signal ${signal}, stdout ${JSON.stringify(stdout)}, stderr ${JSON.stringify(stderr.slice(0, 600))}`;
}
