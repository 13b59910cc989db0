/** Calls of an application by every way in: bare client, in-process mesh, worker mesh, a proxy; hooks and start-up. */
import type { EmbedResult, EmbedTask } from '../cases/embed-caller.ts';
import type { HooksResult } from '../cases/embed-hooks.ts';
import { type Conversation, converse, runCase } from '../harness/case.ts';
import { enter, isAbsent, leave } from '../harness/entry.ts';
import type { GoalId, Measure } from '../harness/goals.ts';
import { startBackend } from '../harness/load.ts';
import { measureStartup } from '../harness/startup.ts';
import { median, rounded } from '../harness/stats.ts';
import type { Bench, Row, Suite } from '../harness/suite.ts';
import { compileTools } from '../harness/tools.ts';
import { heddleFull } from '../peers/heddle.ts';
import { makeTlsDirectory } from '../scenarios/tls-files.ts';

const concurrencies = [1, 32, 256];
const plain = ['undici', 'dispatcher-plain', 'dispatcher', 'request', 'worker-dispatcher', 'worker-request'];
const overTls = ['tls-request', 'tls-worker'];
const tlsRate = 2000;
const leftOut = 'not part of this run';

interface Line {
  readonly name: string;
  readonly caller: Conversation<EmbedResult>;
  /** By what was asked: "c32", "rate". */
  readonly results: Map<string, EmbedResult[]>;
}

export const suite: Suite = {
  about: 'calls of an application by every way in, hooks for other hosts, start-up of heddle/register',
  goals: [
    'embed.dispatcherUs',
    'embed.otherHostNs',
    'embed.startupMs',
    'embed.workerAppShare',
    'embed.workerAddedP50Us',
  ],
  rounds: 5,
  seconds: 1,
  async run(bench) {
    const wants = (name: string): boolean => bench.only?.includes(name) ?? true;
    const lines = await play(bench, wants);
    const rows = lines.flatMap(toRows);
    const measures: Measure[] = callGoals(lines);
    if (wants('hooks')) await hooks(bench, rows, measures);
    else measures.push({ id: 'embed.otherHostNs', value: null, reason: leftOut });
    if (wants('startup')) await startup(bench, rows, measures);
    else measures.push({ id: 'embed.startupMs', value: null, reason: leftOut });
    return { rows, measures };
  },
};

async function play(bench: Bench, wants: (name: string) => boolean): Promise<Line[]> {
  const tools = await compileTools();
  const place = { tools, children: bench.children, core: bench.cores.load, directory: bench.directory };
  const backend = await startBackend(place);
  const line = (name: string, variant: string, port: number): Line => ({
    name,
    caller: converse(bench, 'embed-caller', [variant, String(port), `${bench.directory}/${name}.log`]),
    results: new Map(),
  });
  const lines = plain.filter(wants).map((name) => line(name, name, backend.port));
  const proxy = wants('proxy') ? await enter(bench, heddleFull, backend.port) : null;
  if (proxy !== null && !isAbsent(proxy)) lines.push(line('proxy', 'undici', proxy.place.port));
  for (let round = 0; round <= bench.rounds; round += 1) {
    for (const concurrency of concurrencies) {
      for (const each of lines) {
        await ask(bench, each, `c${concurrency}`, { seconds: bench.seconds, concurrency }, round);
      }
    }
  }
  if (proxy !== null && !isAbsent(proxy)) await leave(bench, proxy);
  for (const each of lines) await each.caller.close();
  return [...lines, ...(await playTls(bench, wants, line))];
}

async function playTls(
  bench: Bench,
  wants: (name: string) => boolean,
  line: (name: string, variant: string, port: number) => Line,
): Promise<Line[]> {
  const files = makeTlsDirectory(bench.directory);
  if (files === undefined || !overTls.some(wants)) return [];
  const server = converse<{ port: number }>(bench, 'tls-backend', [files]);
  // It says its port at once; the question is only read.
  const { port } = await server.ask('');
  const lines = overTls.filter(wants).map((name) => line(name, name, port));
  for (let round = 0; round <= bench.rounds; round += 1) {
    for (const each of lines) {
      await ask(bench, each, 'c32', { seconds: bench.seconds, concurrency: 32 }, round);
      const paced = { seconds: bench.seconds, concurrency: 0, rate: tlsRate };
      await ask(bench, each, 'rate', paced, round);
    }
  }
  for (const each of lines) await each.caller.close();
  await server.close();
  return lines;
}

/** The first round warms up. */
async function ask(bench: Bench, line: Line, key: string, task: EmbedTask, round: number): Promise<void> {
  const result = await line.caller.ask(JSON.stringify(task));
  bench.progress(
    `${line.name} ${key}: ${(result.cpuUs / result.calls).toFixed(1)} us CPU, p50 ${result.p50Us.toFixed(0)} us`,
  );
  if (round === 0) return;
  const results = line.results.get(key) ?? [];
  results.push(result);
  line.results.set(key, results);
}

type Figure = (result: EmbedResult) => number;
const cpuUs: Figure = (result) => result.cpuUs / result.calls;
const appUs: Figure = (result) => result.appCpuUs / result.calls;

const figuresOf = (lines: readonly Line[], name: string, key: string, figure: Figure): number[] =>
  lines
    .find((line) => line.name === name)
    ?.results.get(key)
    ?.map(figure) ?? [];

function toRows(line: Line): Row[] {
  return [...line.results].map(([key, results]) => {
    const middle = (figure: Figure): number | null => rounded(median(results.map(figure)));
    return {
      name: `${line.name}, ${key === 'rate' ? `${tlsRate} calls/s` : `${key.slice(1)} at a time`}`,
      cpuUs: middle(cpuUs),
      appCpuUs: middle(appUs),
      p50Us: middle((result) => result.p50Us),
      p99Us: middle((result) => result.p99Us),
      callsPerSecond: middle((result) => result.calls / result.seconds),
      loopP99Us: middle((result) => result.loopP99Us),
    };
  });
}

/** Pairs of the same round, then the middle: what the machine does otherwise cancels out. */
function paired(
  mine: readonly number[],
  theirs: readonly number[],
  combine: (a: number, b: number) => number,
): number | null {
  return rounded(median(mine.map((value, i) => combine(value, theirs[i] ?? Number.NaN))));
}

function callGoals(lines: readonly Line[]): Measure[] {
  const figures = (name: string, key: string, figure: Figure): number[] =>
    figuresOf(lines, name, key, figure);
  const less = (a: number, b: number): number => a - b;
  const share = (a: number, b: number): number => a / b;
  const p50: Figure = (result) => result.p50Us;
  const values: [GoalId, number | null][] = [
    [
      'embed.dispatcherUs',
      paired(figures('dispatcher', 'c32', cpuUs), figures('undici', 'c32', cpuUs), less),
    ],
    [
      'embed.workerAppShare',
      paired(figures('tls-worker', 'c32', appUs), figures('tls-request', 'c32', appUs), share),
    ],
    [
      'embed.workerAddedP50Us',
      paired(figures('worker-request', 'c1', p50), figures('request', 'c1', p50), less),
    ],
  ];
  return values.map(([id, value]) => ({ id, value, reason: leftOut }));
}

async function hooks(bench: Bench, rows: Row[], measures: Measure[]): Promise<void> {
  const result = await runCase<HooksResult>(bench, 'embed-hooks', []);
  rows.push({ name: 'hooks, other hosts', ...result });
  measures.push({ id: 'embed.otherHostNs', value: rounded(Math.max(...Object.values(result))) });
}

async function startup(bench: Bench, rows: Row[], measures: Measure[]): Promise<void> {
  const { emptyMs, rows: found, registerMs } = await measureStartup(bench);
  rows.push({ name: 'an empty script', startupMs: rounded(emptyMs) }, ...found);
  measures.push({ id: 'embed.startupMs', value: rounded(registerMs) });
}
