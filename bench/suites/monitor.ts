/** What the monitor costs: an idle service, a service under load, during captures; beside what others cost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { compileMonitor, type MonitorWay, waysOf } from '../cases/monitor-ways.ts';
import { httpService, switchedService } from '../cases/monitored-service.ts';
import { lossOf, measureCycle, type Slice, type SwitchCycle } from '../cases/switch-cost.ts';
import { type LoadPlace, runLoad } from '../harness/load.ts';
import { cpuBetween, residentBytes, sampleCpu } from '../harness/proc.ts';
import { median, rounded } from '../harness/stats.ts';
import type { Bench, Row, Suite, SuiteResult } from '../harness/suite.ts';
import { compileTools, type Tools } from '../harness/tools.ts';

/** The first seconds of a process say nothing: modules load, code is compiled. */
const settleMs = 7_000;
const warmUp = { connections: 16, seconds: 3 };

/** Of one way to run the service. */
interface Figures {
  readonly idlePercent: number[];
  readonly rssMb: number[];
  readonly cycles: SwitchCycle[];
}

/**
 * Idle, all ways have a process that was started with them, and are watched at the same time. Under load each way is
 * switched off, on and off again within one process: two processes of the same program differ by several percent
 * (where their code came to lie), more than there is to be measured. Each round has processes of its own.
 */
async function run(bench: Bench): Promise<SuiteResult> {
  const { found, missing } = waysOf(compileMonitor(bench.directory), bench.only);
  const tools = await compileTools();
  const place = { tools, children: bench.children, core: bench.cores.load, directory: bench.directory };
  const figures = new Map<string, Figures>();
  for (const { name } of found) figures.set(name, { idlePercent: [], rssMb: [], cycles: [] });
  await measureIdle(bench, tools, found, figures);
  for (let round = 0; round < bench.rounds; round++) {
    for (const way of found) {
      if (round > 1 && way.everyRound !== true && bench.only === null) continue;
      const cycle = await measureSwitched(bench, place, way);
      figures.get(way.name)?.cycles.push(cycle);
      bench.progress(`round ${round + 1}, ${progressOf(way.name, figures)}`);
    }
  }
  const rows = found.map(({ name }) => rowOf(name, figures));
  return { rows: [...rows, ...missing], measures: measuresOf(figures) };
}

async function measureIdle(
  bench: Bench,
  { cpuclock }: Tools,
  ways: readonly MonitorWay[],
  figures: ReadonlyMap<string, Figures>,
): Promise<void> {
  const watched = ways.filter((way) => way.busyOnly !== true);
  const services = await Promise.all(watched.map((way) => httpService(bench, way)));
  await sleep(settleMs);
  const startMs = performance.now();
  const before = services.map(({ pid }) => sampleCpu(pid, cpuclock));
  await sleep(bench.seconds * 1000);
  const after = services.map(({ pid }) => sampleCpu(pid, cpuclock));
  const elapsedUs = (performance.now() - startMs) * 1000;
  for (const [index, { pid, way }] of services.entries()) {
    const own = figures.get(way.name);
    const [from, to] = [before[index], after[index]];
    if (from !== undefined && to !== undefined)
      own?.idlePercent.push((cpuBetween(from, to).totalUs / elapsedUs) * 100);
    own?.rssMb.push(residentBytes(pid) / 1048576);
  }
  for (const service of services) await service.stop();
}

async function measureSwitched(bench: Bench, place: LoadPlace, way: MonitorWay): Promise<SwitchCycle> {
  const service = await switchedService(bench, way);
  await runLoad(place, { port: service.port, ...warmUp });
  const cycle = await measureCycle(place, service, way.onSeconds);
  await service.stop();
  return cycle;
}

const more = (mine: readonly number[] | undefined, base: readonly number[] | undefined): number | null => {
  const [own, other] = [median(mine ?? []), median(base ?? [])];
  return own === null || other === null ? null : own - other;
};

/** A loss whose error is larger says nothing about a goal of one or two percent: the machine was too busy. */
const largestError = 0.7;

function resolved(figures: Figures | undefined): number | null {
  const loss = lossOf(figures?.cycles ?? []);
  if (loss === null || loss.plusMinus > largestError) return null;
  return rounded(loss.percent, 3);
}

function measuresOf(figures: ReadonlyMap<string, Figures>): SuiteResult['measures'] {
  const [bare, own, pending] = ['bare', 'heddle', 'heddle with pending work'].map((name) =>
    figures.get(name),
  );
  return [
    { id: 'monitor.idlePercent', value: rounded(more(own?.idlePercent, bare?.idlePercent)) },
    { id: 'monitor.armedLossPercent', value: resolved(own) },
    { id: 'monitor.pendingPercent', value: resolved(pending) },
    { id: 'monitor.rssMb', value: rounded(more(own?.rssMb, bare?.rssMb)) },
  ];
}

function rowOf(name: string, figures: ReadonlyMap<string, Figures>): Row {
  const { idlePercent = [], rssMb = [], cycles = [] } = figures.get(name) ?? {};
  const loss = lossOf(cycles);
  const p99Of = (slices: readonly Slice[]): number | null =>
    rounded(median(slices.map(({ p99Us }) => p99Us)), 3);
  return {
    name,
    idlePercent: rounded(median(idlePercent), 3),
    rssMb: rounded(median(rssMb), 3),
    lossPercent: rounded(loss?.percent ?? null, 3),
    lossPlusMinus: rounded(loss?.plusMinus ?? null, 2),
    cycles: cycles.length,
    p99OffUs: p99Of(cycles.flatMap(({ off }) => off)),
    p99OnUs: p99Of(cycles.flatMap(({ on }) => on)),
  };
}

function progressOf(name: string, figures: ReadonlyMap<string, Figures>): string {
  const { idlePercent, cycles } = figures.get(name) ?? { idlePercent: [], cycles: [] };
  const loss = lossOf(cycles);
  const idle = idlePercent.length === 0 ? '' : `idle ${median(idlePercent)?.toFixed(2)} %, `;
  return `${name}: ${idle}loss ${loss?.percent.toFixed(1)} +- ${loss?.plusMinus.toFixed(1)} %`;
}

export const suite: Suite = {
  about: 'what the monitor costs a service, idle and under load, beside other profilers',
  goals: ['monitor.idlePercent', 'monitor.armedLossPercent', 'monitor.pendingPercent', 'monitor.rssMb'],
  rounds: 4,
  seconds: 10,
  run,
};
