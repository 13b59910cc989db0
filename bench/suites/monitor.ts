/** What the monitor costs: an idle service, a service under load, during a capture; beside what others cost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { RemoteControl } from '../../src/diagnostics/index.ts';
import { compileMonitor, waysOf } from '../cases/monitor-ways.ts';
import { httpService, type RunningService } from '../cases/monitored-service.ts';
import { type LoadPlace, runLoad } from '../harness/load.ts';
import { cpuBetween, residentBytes, sampleCpu } from '../harness/proc.ts';
import { median, pairedRatio, rounded } from '../harness/stats.ts';
import type { Bench, Row, Suite, SuiteResult } from '../harness/suite.ts';
import { compileTools } from '../harness/tools.ts';

/** The first seconds of a process say nothing: modules load, code is compiled. */
const settleMs = 12_000;
/** As fast as it is answered: the service fills its core, so CPU a request is throughput. */
const load = { connections: 16 };
const warmUpSeconds = 3;
/** Turns of one second under load that each process gets in a round; each turn is compared with the bare one next to it. */
const turns = 12;
const turnSeconds = 1;

/** Of one way to run the service; entries at the same place were measured side by side. */
interface Figures {
  readonly idlePercent: number[];
  readonly rssMb: number[];
  readonly usPerRequest: number[];
  readonly p99Us: number[];
}

/**
 * In a round every way has its process, all started together. While nobody calls them they are measured at the same
 * time; then they are called in turns. A machine that is busy with other things slows neighbours in time alike, and
 * what differs between two processes of the same program (code placement) differs anew in each round.
 */
async function run(bench: Bench): Promise<SuiteResult> {
  const { found, missing } = waysOf(compileMonitor(bench.directory));
  const ways = found.filter(
    ({ name }) => bench.only === null || bench.only.includes(name) || name === 'bare',
  );
  const tools = await compileTools();
  const place = { tools, children: bench.children, core: bench.cores.load, directory: bench.directory };
  const figures = new Map<string, Figures>();
  for (const { name } of ways) figures.set(name, { idlePercent: [], rssMb: [], usPerRequest: [], p99Us: [] });
  for (let round = 0; round < bench.rounds; round++) {
    const services = await Promise.all(ways.map((way) => httpService(bench, way)));
    await sleep(settleMs);
    await measureIdle(bench, place, services, figures);
    for (const service of services)
      await runLoad(place, { port: service.port, ...load, seconds: warmUpSeconds });
    for (let turn = 0; turn < turns; turn++) {
      // Every other turn backwards, so that none is always the first.
      for (const service of turn % 2 === 0 ? services : services.toReversed())
        await measureTurn(place, service, figures.get(service.way.name) as Figures);
    }
    for (const service of services) await service.stop();
    bench.progress(`round ${round + 1}: ${progressOf(figures)}`);
  }
  const rows = ways.map(({ name }) => rowOf(name, figures));
  return { rows: [...rows, ...missing], measures: measuresOf(figures) };
}

async function measureIdle(
  bench: Bench,
  place: LoadPlace,
  services: readonly RunningService[],
  figures: ReadonlyMap<string, Figures>,
): Promise<void> {
  const clock = place.tools.cpuclock;
  const startMs = performance.now();
  const before = services.map(({ pid }) => sampleCpu(pid, clock));
  await sleep(bench.seconds * 1000);
  const after = services.map(({ pid }) => sampleCpu(pid, clock));
  const elapsedUs = (performance.now() - startMs) * 1000;
  for (const [index, { pid, way }] of services.entries()) {
    const own = figures.get(way.name);
    const [from, to] = [before[index], after[index]];
    if (from !== undefined && to !== undefined)
      own?.idlePercent.push((cpuBetween(from, to).totalUs / elapsedUs) * 100);
    own?.rssMb.push(residentBytes(pid) / 1048576);
  }
}

async function measureTurn(place: LoadPlace, service: RunningService, figures: Figures): Promise<void> {
  const { pid, port, way } = service;
  const capturing = way.controlSocket === undefined ? undefined : captureMeanwhile(way.controlSocket);
  const before = sampleCpu(pid, place.tools.cpuclock);
  const report = await runLoad(place, { port, ...load, seconds: turnSeconds });
  const used = cpuBetween(before, sampleCpu(pid, place.tools.cpuclock)).totalUs;
  await capturing;
  if (report.errors > 0) throw new Error(`${way.name}: ${report.firstError}`);
  figures.usPerRequest.push(used / report.answered);
  figures.p99Us.push(report.p99Us);
}

/** A CPU profile of the whole turn, its encoding left out: that happens after it. */
async function captureMeanwhile(socket: string): Promise<void> {
  const control = await RemoteControl.connect(socket);
  await control.capture({ kinds: ['cpu'], durationMs: turnSeconds * 1000 });
  control.close();
}

/** More CPU for a request in percent; the service fills its core, so it is so much less throughput. */
const lossPercent = (mine: Figures | undefined, base: Figures | undefined): number | null => {
  const ratio = pairedRatio(mine?.usPerRequest ?? [], base?.usPerRequest ?? []);
  return ratio === null ? null : (ratio - 1) * 100;
};

const idleOver = (mine: Figures | undefined, base: Figures | undefined): number | null =>
  median((mine?.idlePercent ?? []).map((value, index) => value - (base?.idlePercent[index] ?? 0)));

function measuresOf(figures: ReadonlyMap<string, Figures>): SuiteResult['measures'] {
  const [bare, own] = [figures.get('bare'), figures.get('heddle')];
  const duty = figures.get('heddle, pending work duty-cycled');
  const rssMb = (median(own?.rssMb ?? []) ?? 0) - (median(bare?.rssMb ?? []) ?? 0);
  return [
    { id: 'monitor.idlePercent', value: rounded(idleOver(own, bare)) },
    { id: 'monitor.armedLossPercent', value: rounded(lossPercent(own, bare)) },
    { id: 'monitor.pendingPercent', value: rounded(lossPercent(duty, own)) },
    { id: 'monitor.rssMb', value: own === undefined ? null : rounded(rssMb) },
  ];
}

function rowOf(name: string, figures: ReadonlyMap<string, Figures>): Row {
  const [own, bare] = [figures.get(name), figures.get('bare')];
  return {
    name,
    idlePercent: rounded(median(own?.idlePercent ?? []), 3),
    usPerRequest: rounded(median(own?.usPerRequest ?? [])),
    lossPercent: rounded(lossPercent(own, bare), 3),
    p99Us: rounded(median(own?.p99Us ?? []), 3),
    rssMb: rounded(median(own?.rssMb ?? []), 3),
  };
}

function progressOf(figures: ReadonlyMap<string, Figures>): string {
  return [...figures]
    .map(([name, own]) => {
      const loss = lossPercent(own, figures.get('bare')) ?? 0;
      return `${name}: idle ${own.idlePercent.at(-1)?.toFixed(2)} %, loss so far ${loss.toFixed(1)} %`;
    })
    .join('; ');
}

export const suite: Suite = {
  about: 'what the monitor costs a service, idle and under load, beside other profilers',
  goals: ['monitor.idlePercent', 'monitor.armedLossPercent', 'monitor.pendingPercent', 'monitor.rssMb'],
  rounds: 3,
  seconds: 10,
  run,
};
