/**
 * Many cores: what a request and a connection cost with one process, `--workers 1` and `--workers 2`, how evenly
 * connections are shared out, and how many requests are served as fast as clients ask. The generator and the backend
 * take a core of their own, so the last figure says how far workers help only where there are more cores than two:
 * the row `cores` says what this machine has.
 */

import { connect } from 'node:net';
import { availableParallelism } from 'node:os';
import type { Contender, Place } from '../harness/contender.ts';
import { type Entry, enter, isAbsent, leave } from '../harness/entry.ts';
import { type LoadPlace, runLoad, startBackend } from '../harness/load.ts';
import { cpuBetween, sampleCpu } from '../harness/proc.ts';
import { requestHead } from '../harness/requests.ts';
import { median, rounded } from '../harness/stats.ts';
import type { Bench, Row, Suite } from '../harness/suite.ts';
import { compileTools, type Tools } from '../harness/tools.ts';
import { heddleFull } from '../peers/heddle.ts';

const connections = 64;
/** Requests a second that leave every variant idle time on one core. */
const rate = 3000;
const shortConnections = 4000;

const variant = (workers: number): Contender => ({
  ...heddleFull,
  name: workers === 0 ? 'one process' : `--workers ${workers}`,
  launch: async (place) => {
    const spec = await heddleFull.launch(place);
    return { ...spec, args: [...spec.args, ...(workers === 0 ? [] : ['--workers', String(workers)])] };
  },
});

interface Round {
  readonly cpuUs: number | null;
  readonly cpuUsPerConnection: number;
  readonly perSecond: number | null;
  /** Connections of each worker while all are open. */
  readonly shares: readonly number[];
}

export const suite: Suite = {
  about: 'worker processes: CPU per request and connection, distribution, throughput',
  goals: [],
  rounds: 3,
  seconds: 2,
  async run(bench) {
    const tools = await compileTools();
    const place = { tools, children: bench.children, core: bench.cores.load, directory: bench.directory };
    const backend = await startBackend(place);
    // Two workers on one core would say nothing: the kernel places all of them.
    const unpinned: Bench = { ...bench, cores: { ...bench.cores, proxy: null } };
    const rows: Row[] = [{ name: 'cores', cores: availableParallelism() }];
    const failures: string[] = [];
    const entries: [Entry, Round[]][] = [];
    for (const contender of [0, 1, 2].map(variant)) {
      if (bench.only?.includes(contender.name) === false) continue;
      const entry = await enter(unpinned, contender, backend.port);
      if (isAbsent(entry)) rows.push({ name: contender.name, reason: entry.reason });
      else entries.push([entry, []]);
    }
    for (const [entry] of entries) {
      await runLoad(place, { port: entry.place.port, connections, seconds: Math.min(3, bench.seconds) });
    }
    for (let round = 0; round < bench.rounds; round += 1) {
      for (const [entry, rounds] of entries) {
        bench.progress(`round ${round + 1} ${entry.contender.name}`);
        rounds.push(await playRound(bench, place, tools, entry, failures));
      }
    }
    for (const [entry, rounds] of entries) {
      rows.push(toRow(entry.contender.name, rounds));
      failures.push(...(await leave(bench, entry)));
    }
    return { rows, measures: [], failures };
  },
};

async function playRound(
  bench: Bench,
  place: LoadPlace,
  tools: Tools,
  entry: Entry,
  failures: string[],
): Promise<Round> {
  const { port } = entry.place;
  const pid = entry.child.pid ?? 0;
  const before = sampleCpu(pid, tools.cpuclock);
  const running = runLoad(place, { port, connections, rate, seconds: bench.seconds });
  await new Promise((resolve) => setTimeout(resolve, bench.seconds * 500));
  const shares = await sharesOf(entry.place);
  const paced = await running;
  const { totalUs } = cpuBetween(before, sampleCpu(pid, tools.cpuclock));
  const closed = await runLoad(place, { port, connections, seconds: bench.seconds });
  for (const { errors, firstError } of [paced, closed]) {
    if (errors > 0) failures.push(`${entry.contender.name}: ${firstError}`);
  }
  const beforeShort = sampleCpu(pid, tools.cpuclock);
  await openAndClose(port, entry.place.hosts[0] ?? '');
  const short = cpuBetween(beforeShort, sampleCpu(pid, tools.cpuclock));
  return {
    cpuUs: paced.errors > 0 || paced.answered === 0 ? null : totalUs / paced.answered,
    cpuUsPerConnection: short.totalUs / shortConnections,
    perSecond: closed.errors > 0 ? null : closed.answered / closed.seconds,
    shares,
  };
}

async function sharesOf(place: Place): Promise<number[]> {
  const response = await fetch(`http://127.0.0.1:${place.adminPort}/listeners`);
  const [listener] = (await response.json()) as { connections: number; ofWorkers?: number[] }[];
  return listener?.ofWorkers ?? [listener?.connections ?? 0];
}

/** Connections of one request each, eight at a time. */
async function openAndClose(port: number, host: string): Promise<void> {
  const request = requestHead(host, 0).replace('\r\n', '\r\nconnection: close\r\n');
  let left = shortConnections;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(request));
      socket.on('error', reject);
      socket.on('data', () => {});
      socket.on('close', () => resolve());
    });
  const lane = async (): Promise<void> => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}

function toRow(name: string, rounds: readonly Round[]): Row {
  const middle = (pick: (round: Round) => number | null): number | null =>
    rounded(median(rounds.map(pick).filter((value) => value !== null)), 4);
  const shares = rounds.at(-1)?.shares ?? [];
  const mean = shares.reduce((sum, each) => sum + each, 0) / shares.length;
  return {
    name,
    cpuUsPerRequest: middle((round) => round.cpuUs),
    cpuUsPerConnection: middle((round) => round.cpuUsPerConnection),
    requestsPerSecond: middle((round) => round.perSecond),
    connections: shares.join('/'),
    unevenPercent: rounded(Math.max(...shares.map((each) => (Math.abs(each - mean) / mean) * 100)), 3),
  };
}
