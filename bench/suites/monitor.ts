/** What the monitor costs: an idle service, a service under load, during a capture; beside what others cost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { RemoteControl } from '../../src/diagnostics/index.ts';
import { compileMonitor, waysOf } from '../cases/monitor-ways.ts';
import { httpService, type RunningService } from '../cases/monitored-service.ts';
import { type LoadPlace, runLoad } from '../harness/load.ts';
import { cpuBetween, residentBytes, sampleCpu } from '../harness/proc.ts';
import { median, rounded } from '../harness/stats.ts';
import type { Bench, Row, Suite, SuiteResult } from '../harness/suite.ts';
import { compileTools } from '../harness/tools.ts';

/** The first seconds of a process say nothing: modules load, code is compiled. */
const settleMs = 7_000;
/** As fast as it is answered: the service fills its core, so CPU a request is throughput. */
const load = { connections: 16 };
const warmUpSeconds = 3;
/** How often each way is called in a round, and for how long. */
const turns = 7;
const turnSeconds = 0.6;
/** A capture ends and begins with work of its own: it is taken once in a round, as long as those of most rules. */
const captureSeconds = 3;
/** The ways that the goals compare are called twice in a turn, once in each half of it. */
const twice = ['bare', 'heddle'];

/** Of one way to run the service, over all rounds. */
interface Figures {
  readonly idlePercent: number[];
  readonly rssMb: number[];
  readonly called: { readonly cpuUs: number; readonly answered: number }[];
  readonly p99Us: number[];
}

/**
 * In a round every way has its process, all started together. While nobody calls them they are measured at the same
 * time; then they are called in turns, back and forth. A machine that is busy with other things slows neighbours in
 * time alike, and what differs between two processes of the same program (code placement) differs anew in each round.
 * Loss is of all CPU by all requests: a median of turns would leave out what runs only now and then.
 */
async function run(bench: Bench): Promise<SuiteResult> {
  const { found, missing } = waysOf(compileMonitor(bench.directory), bench.only);
  const tools = await compileTools();
  const place = { tools, children: bench.children, core: bench.cores.load, directory: bench.directory };
  const figures = new Map<string, Figures>();
  for (const { name } of found) figures.set(name, { idlePercent: [], rssMb: [], called: [], p99Us: [] });
  for (let round = 0; round < bench.rounds; round++) {
    const services = await Promise.all(found.map((way) => httpService(bench, way)));
    await sleep(settleMs);
    await measureIdle(bench, place, services, figures);
    for (const service of services)
      await runLoad(place, { port: service.port, ...load, seconds: warmUpSeconds });
    const order = orderOf(services.filter(({ way }) => way.controlSocket === undefined));
    for (let turn = 0; turn < turns; turn++) {
      // Every other turn backwards, so that none is always the first.
      for (const service of turn % 2 === 0 ? order : order.toReversed())
        await measureTurn(place, service, figures, turnSeconds);
    }
    for (const service of services) {
      if (service.way.controlSocket !== undefined) await measureTurn(place, service, figures, captureSeconds);
    }
    for (const service of services) await service.stop();
    bench.progress(`round ${round + 1}: ${progressOf(figures)}`);
  }
  const rows = found.map(({ name }) => rowOf(name, figures));
  return { rows: [...rows, ...missing], measures: measuresOf(figures) };
}

/** `a b c d` with `a` and `b` twice is `a b c b a d`. */
function orderOf(services: readonly RunningService[]): RunningService[] {
  const often = services.filter(({ way }) => twice.includes(way.name));
  const once = services.filter(({ way }) => !twice.includes(way.name));
  const half = Math.ceil(once.length / 2);
  return [...often, ...once.slice(0, half), ...often.toReversed(), ...once.slice(half)];
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

async function measureTurn(
  place: LoadPlace,
  { pid, port, way }: RunningService,
  figures: ReadonlyMap<string, Figures>,
  seconds: number,
): Promise<void> {
  const capturing =
    way.controlSocket === undefined ? undefined : captureMeanwhile(way.controlSocket, seconds);
  const before = sampleCpu(pid, place.tools.cpuclock);
  const report = await runLoad(place, { port, ...load, seconds });
  const used = cpuBetween(before, sampleCpu(pid, place.tools.cpuclock)).totalUs;
  await capturing;
  if (report.errors > 0) throw new Error(`${way.name}: ${report.firstError}`);
  figures.get(way.name)?.called.push({ cpuUs: used, answered: report.answered });
  figures.get(way.name)?.p99Us.push(report.p99Us);
}

/** A CPU profile of the whole time, its encoding left out: that happens after it. */
async function captureMeanwhile(socket: string, seconds: number): Promise<void> {
  const control = await RemoteControl.connect(socket);
  await control.capture({ kinds: ['cpu'], durationMs: seconds * 1000 });
  control.close();
}

function usPerRequest({ called }: Figures): number | null {
  const cpuUs = called.reduce((sum, turn) => sum + turn.cpuUs, 0);
  const answered = called.reduce((sum, turn) => sum + turn.answered, 0);
  return answered === 0 ? null : cpuUs / answered;
}

/** More CPU for a request in percent; the service fills its core, so it is so much less throughput. */
function lossPercent(mine: Figures | undefined, base: Figures | undefined): number | null {
  const own = mine && usPerRequest(mine);
  const other = base && usPerRequest(base);
  return own && other ? (own / other - 1) * 100 : null;
}

/** One standard error of `lossPercent`, from how much turns differ. */
function lossError(mine: Figures | undefined, base: Figures | undefined): number | null {
  if (mine === undefined || base === undefined) return null;
  return Math.hypot(relativeError(mine), relativeError(base)) * 100;
}

function relativeError({ called }: Figures): number {
  const each = called.map(({ cpuUs, answered }) => cpuUs / answered);
  const mean = each.reduce((sum, value) => sum + value, 0) / each.length;
  const squares = each.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (each.length - 1) / each.length) / mean;
}

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
    usPerRequest: rounded(own === undefined ? null : usPerRequest(own)),
    lossPercent: rounded(lossPercent(own, bare), 3),
    lossPlusMinus: rounded(lossError(own, bare), 2),
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
  rounds: 2,
  seconds: 10,
  run,
};
