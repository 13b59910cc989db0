/**
 * What an idle connection costs: resident bytes of the proxy before and with 9,000 connections that carried one request
 * each and then nothing for ten seconds. No collection is forced. In the end every connection must answer again.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Contender } from '../harness/contender.ts';
import { enter, isAbsent, leave } from '../harness/entry.ts';
import type { GoalId, Measure } from '../harness/goals.ts';
import { holdLoad, type LoadPlace, type LoadReport, startBackend } from '../harness/load.ts';
import { residentBytes } from '../harness/proc.ts';
import type { RequestShape } from '../harness/requests.ts';
import { rounded } from '../harness/stats.ts';
import { type Bench, type Row, type Suite, Unavailable } from '../harness/suite.ts';
import { measureTlsIdle } from '../harness/tls-hold.ts';
import { compileTools } from '../harness/tools.ts';
import { haproxy } from '../peers/haproxy.ts';
import { heddleFull } from '../peers/heddle.ts';
import { nginx } from '../peers/nginx.ts';
import { undici } from '../peers/node.ts';
import { haproxyTls, heddleTls, nginxTls } from '../peers/tls.ts';

const connections = 9_000;
const mebibyte = 2 ** 20;
/** What start-up left behind is given back within seconds: that must not hide what a connection costs. */
const settleMs = 12_000;
const one: Visit = { name: 'one request each', atOnce: 64, shape: {} };
const burst: Visit = {
  name: '1 MiB each way',
  atOnce: 16,
  shape: { bodyBytes: mebibyte, answerBytes: mebibyte },
};

/** What each connection carries before it falls idle. */
interface Visit {
  readonly name: string;
  /** Connections that are busy at the same time. */
  readonly atOnce: number;
  readonly shape: RequestShape;
}

interface IdleRow extends Row {
  readonly bytes?: number | null;
  readonly problem?: string;
}

const plan: readonly (readonly [Contender, Visit])[] = [
  [heddleFull, one],
  [heddleFull, burst],
  [nginx, one],
  [haproxy, one],
  [undici, one],
];

/** With TLS, beside the same; nobody has set a goal. */
const tlsPlan: readonly Contender[] = [heddleTls, nginxTls, haproxyTls];

export const suite: Suite = {
  about: `resident bytes of an idle connection, ${connections} of them`,
  goals: ['idle.bytes', 'idle.bytesAfterBurst'],
  rounds: 1,
  /** How long the connections rest. */
  seconds: 10,
  async run(bench) {
    requireDescriptors();
    const tools = await compileTools();
    const place = { tools, children: bench.children, core: bench.cores.load, directory: bench.directory };
    const rows: IdleRow[] = [];
    const wanted = plan.filter(([{ name }]) => bench.only?.includes(name) ?? true);
    for (const [contender, visit] of wanted) rows.push(await measure(bench, place, contender, visit));
    for (const contender of tlsPlan.filter(({ name }) => bench.only?.includes(name) ?? true)) {
      rows.push(await measureTlsIdle(bench, place, contender));
    }
    const failures = rows.flatMap((row) => row.problem ?? []);
    const measures = [toMeasure('idle.bytes', rows, one), toMeasure('idle.bytesAfterBurst', rows, burst)];
    return { rows, measures, failures };
  },
};

/** @throws Unavailable where one process may not open that many connections. */
function requireDescriptors(): void {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? 'unlimited';
  const needed = 2 * connections + 1_000;
  if (hard !== 'unlimited' && Number(hard) < needed) {
    throw new Unavailable(`a process may open ${hard} files here, this needs ${needed}: raise "ulimit -Hn"`);
  }
}

async function measure(bench: Bench, place: LoadPlace, contender: Contender, visit: Visit): Promise<IdleRow> {
  const name = `${contender.name}, ${visit.name}`;
  const backend = await startBackend(place);
  const entry = await enter(bench, contender, backend.port);
  if (isAbsent(entry)) return { name, reason: entry.reason };
  const pid = entry.child.pid ?? 0;
  const hold = (count: number, shape: RequestShape): ReturnType<typeof holdLoad> =>
    holdLoad(place, { port: entry.place.port, connections: count, seconds: 0, shape }, visit.atOnce);
  // Code and tables that the first requests bring in are no cost of a connection. No more than that: a grown heap would
  // hide what the connections take.
  const first = hold(visit.atOnce, {});
  await first.ready;
  await first.close();
  await delay(settleMs);
  const before = residentBytes(pid);
  const held = hold(connections, visit.shape);
  const opened = await held.ready;
  const busy = residentBytes(pid);
  bench.progress(`${name}: open, resting ${bench.seconds} s`);
  await delay(bench.seconds * 1000);
  const after = residentBytes(pid);
  const again = await held.again();
  await held.close();
  const problems = [...problemsOf('opening', opened), ...problemsOf('answering again', again)];
  problems.push(...(await leave(bench, entry)));
  await backend.stop();
  return {
    name,
    bytes: problems.length === 0 ? Math.round((after - before) / connections) : null,
    bytesAtOnce: Math.round((busy - before) / connections),
    beforeMiB: rounded(before / mebibyte, 3),
    afterMiB: rounded(after / mebibyte, 3),
    openedSeconds: rounded(opened.seconds, 3),
    again: again.answered,
    ...(problems.length > 0 && { problem: `${name}: ${problems.join('; ')}` }),
  };
}

function problemsOf(what: string, report: LoadReport): string[] {
  if (report.errors === 0 && report.answered === connections) return [];
  return [`${what}: ${report.answered} of ${connections}, ${report.firstError || 'no error'}`];
}

function toMeasure(id: GoalId, rows: readonly IdleRow[], visit: Visit): Measure {
  const row = rows.find(({ name }) => name === `${heddleFull.name}, ${visit.name}`);
  const value = row?.bytes;
  if (typeof value === 'number') return { id, value };
  return {
    id,
    value: null,
    reason: row?.reason ?? row?.problem ?? 'it was not part of this run',
  };
}
