/** Starts all contenders, lets them take turns round by round, and keeps the books. */
import type { Contender } from './contender.ts';
import { type Absent, type Entry, enter, isAbsent, isRunning, leave } from './entry.ts';
import {
  type Backend,
  type LoadPlace,
  type LoadPlan,
  type LoadReport,
  runLoad,
  startBackend,
} from './load.ts';
import { type CpuUse, cpuBetween, machineTime, residentBytes, sampleCpu } from './proc.ts';
import type { ContenderResult, RoundResult } from './results.ts';
import type { Bench } from './suite.ts';
import { compileTools } from './tools.ts';

/** What goes through the contenders, where it is not HTTP/1.1. */
export interface Traffic {
  startBackend(place: LoadPlace): Promise<Backend>;
  run(place: LoadPlace, port: number, seconds: number): Promise<LoadReport>;
}

export interface ContestPlan {
  readonly load: Omit<LoadPlan, 'port' | 'seconds'> | Traffic;
  /** Seconds of load before the first round; one at most for contenders that are compiled. */
  readonly warmUpSeconds: number;
}

/**
 * How long every contender is loaded before it counts. V8 goes on optimising for 4 s of load (58 functions in the second
 * 1.5 s, 6 in the third, none after that, by --trace-opt); a proxy runs for weeks.
 */
export const settledSeconds = (bench: Bench): number => Math.min(4.5, bench.seconds * 3);

interface Field {
  readonly bench: Bench;
  readonly place: LoadPlace;
  readonly backend: Backend;
  readonly traffic: Traffic;
  readonly warmUpSeconds: number;
}

const isTraffic = (load: ContestPlan['load']): load is Traffic => 'run' in load;

function httpTraffic(load: Omit<LoadPlan, 'port' | 'seconds'>): Traffic {
  return {
    startBackend: (place) => startBackend(place, load.shape?.answerBytes),
    run: (place, port, seconds) => runLoad(place, { ...load, port, seconds }),
  };
}

/** Runs the contest. Contenders come back in the order given, the absent ones with their reason. */
export async function runContest(
  bench: Bench,
  contenders: readonly Contender[],
  plan: ContestPlan,
): Promise<ContenderResult[]> {
  const tools = await compileTools();
  const place = { tools, children: bench.children, core: bench.cores.load, directory: bench.directory };
  const traffic = isTraffic(plan.load) ? plan.load : httpTraffic(plan.load);
  const backend = await traffic.startBackend(place);
  const field = { bench, place, backend, traffic, warmUpSeconds: plan.warmUpSeconds };
  const probing = isTraffic(plan.load) ? firstAnswer(field) : undefined;
  const entrants: (Entry | Absent)[] = [];
  const wanted = contenders.filter(({ name }) => bench.only?.includes(name) ?? true);
  for (const contender of wanted) entrants.push(await enter(bench, contender, backend.port, probing));
  const entries = entrants.filter((entrant): entrant is Entry => !isAbsent(entrant));
  for (const entry of entries) await warmUp(field, entry);
  for (let round = 0; round < bench.rounds; round += 1) {
    for (const entry of rotate(entries, round)) entry.rounds[round] = await playRound(field, entry, round);
  }
  const results: ContenderResult[] = [];
  for (const entrant of entrants) results.push(await settle(bench, entrant));
  return results;
}

/** Every round begins with another contender, so that none always follows the same one. */
function rotate<T>(items: readonly T[], by: number): T[] {
  const at = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

async function warmUp(field: Field, entry: Entry): Promise<void> {
  const { traffic, place, bench } = field;
  const warmUpSeconds = entry.contender.isCompiled ? Math.min(1, field.warmUpSeconds) : field.warmUpSeconds;
  if (warmUpSeconds <= 0) return;
  bench.progress(`warming up ${entry.contender.name}`);
  await traffic.run(place, entry.place.port, warmUpSeconds);
}

/** A moment of load instead of one request: what a contender gets wrong shows there. */
function firstAnswer({ traffic, place }: Field): (port: number) => Promise<string[]> {
  return async (port) => {
    const report = await traffic.run(place, port, 0.05);
    if (report.errors > 0) return [report.firstError];
    return report.answered === 0 ? ['no answer'] : [];
  };
}

async function playRound(field: Field, entry: Entry, round: number): Promise<RoundResult | null> {
  const { bench } = field;
  const name = entry.contender.name;
  const result = isRunning(entry.child) ? await measure(field, entry) : 'it is no longer running';
  if (typeof result === 'string') {
    entry.problems.push(`round ${round + 1} is void: ${result}`);
    bench.progress(`round ${round + 1} ${name}: void: ${result}`);
    return null;
  }
  const figures = `${result.cpuUs.toFixed(2)} us a request, ${Math.round(result.rps)} requests a second`;
  bench.progress(`round ${round + 1} ${name}: ${figures}`);
  return result;
}

/** One run of load on one contender. @returns why it does not count, as text. */
async function measure(field: Field, entry: Entry): Promise<RoundResult | string> {
  const { bench, traffic, place } = field;
  const clock = place.tools.cpuclock;
  const pids = [entry.child.pid ?? 0, field.backend.pid];
  const before = pids.map((pid) => sampleCpu(pid, clock));
  const [machineBefore, startedMs] = [machineTime(), performance.now()];
  const report = await traffic.run(place, entry.place.port, bench.seconds);
  const [machineAfter, wallUs] = [machineTime(), (performance.now() - startedMs) * 1000];
  const [proxy, backend] = pids.map((pid, index) => cpuSince(before[index], pid, clock));
  if (proxy === undefined || backend === undefined) return 'no CPU account';
  if (report.errors > 0) return `${report.errors} errors, the first: ${report.firstError}`;
  if (report.answered === 0) return 'no answer';
  const loadUs = report.cpuSeconds * 1e6 + backend.totalUs;
  const busyUs = machineAfter.busyUs - machineBefore.busyUs;
  return {
    ...perRequest(proxy, report),
    utilisation: proxy.totalUs / wallUs,
    loadUtilisation: loadUs / wallUs,
    otherLoad: Math.max(0, busyUs - loadUs - proxy.totalUs) / wallUs,
    stolen: (machineAfter.stolenUs - machineBefore.stolenUs) / wallUs,
  };
}

function cpuSince(
  before: ReturnType<typeof sampleCpu> | undefined,
  pid: number,
  clock: string,
): CpuUse | undefined {
  return before === undefined ? undefined : cpuBetween(before, sampleCpu(pid, clock));
}

function perRequest(
  proxy: CpuUse,
  report: LoadReport,
): Pick<RoundResult, 'cpuUs' | 'userUs' | 'systemUs' | 'rps' | 'p50Us' | 'p99Us'> {
  return {
    cpuUs: proxy.totalUs / report.answered,
    userUs: proxy.userUs / report.answered,
    systemUs: proxy.systemUs / report.answered,
    rps: report.answered / report.seconds,
    p50Us: report.p50Us,
    p99Us: report.p99Us,
  };
}

async function settle(bench: Bench, entrant: Entry | Absent): Promise<ContenderResult> {
  const name = entrant.contender.name;
  if (isAbsent(entrant)) {
    const { version, reason } = entrant;
    return { name, version, reason, rounds: [], residentMiB: null, problems: [] };
  }
  const residentMiB = residentBytes(entrant.child.pid ?? 0) / 2 ** 20;
  const problems = [...entrant.problems, ...(await leave(bench, entrant))];
  return { name, version: entrant.version, reason: null, rounds: entrant.rounds, residentMiB, problems };
}
