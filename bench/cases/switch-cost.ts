/** What a thing costs a service, measured inside one process by switching it on and off. */
import { type LoadPlace, runLoad } from '../harness/load.ts';
import { cpuBetween, sampleCpu } from '../harness/proc.ts';
import type { SwitchedService } from './monitored-service.ts';

/** As fast as it is answered: the service fills its core, so CPU a request is throughput. */
const load = { connections: 16 };
/** Nothing is counted until modules are loaded, code is compiled and collectors know the rate. */
const settleSeconds = { on: 4, off: 1 };
const offSeconds = 4;

const sliceSeconds = 0.5;

/** Half a second of load. */
export interface Slice {
  readonly usPerRequest: number;
  readonly p99Us: number;
}

/** Off, on, off: a machine that becomes slower or faster at a steady pace takes nothing away from the difference. */
export interface SwitchCycle {
  readonly off: readonly Slice[];
  readonly on: readonly Slice[];
}

/** @param onSeconds long enough for everything that is done now and then. */
export async function measureCycle(
  place: LoadPlace,
  service: SwitchedService,
  onSeconds: number,
): Promise<SwitchCycle> {
  const before = await phase(place, service, 'off', offSeconds);
  const on = await phase(place, service, 'on', onSeconds);
  const after = await phase(place, service, 'off', offSeconds);
  return { off: [...before, ...after], on };
}

async function phase(
  place: LoadPlace,
  service: SwitchedService,
  to: 'on' | 'off',
  seconds: number,
): Promise<Slice[]> {
  await service.turn(to);
  await runLoad(place, { port: service.port, ...load, seconds: settleSeconds[to] });
  const slices: Slice[] = [];
  for (let at = 0; at < seconds; at += sliceSeconds) slices.push(await slice(place, service));
  return slices;
}

async function slice(place: LoadPlace, { way, pid, port }: SwitchedService): Promise<Slice> {
  const before = sampleCpu(pid, place.tools.cpuclock);
  const report = await runLoad(place, { port, ...load, seconds: sliceSeconds });
  const cpuUs = cpuBetween(before, sampleCpu(pid, place.tools.cpuclock)).totalUs;
  if (report.errors > 0) throw new Error(`${way.name}: ${report.firstError}`);
  return { usPerRequest: cpuUs / report.answered, p99Us: report.p99Us };
}

export interface SwitchLoss {
  /** More CPU for a request while it is on, in percent; the service fills its core, so it is so much less throughput. */
  readonly percent: number;
  /** One standard error of that, from how much the cycles differ; null for a single one. */
  readonly plusMinus: number | null;
}

/** Null without a cycle. */
export function lossOf(cycles: readonly SwitchCycle[]): SwitchLoss | null {
  if (cycles.length === 0) return null;
  const percents = cycles.map(({ on, off }) => (undisturbed(on) / undisturbed(off) - 1) * 100);
  const percent = mean(percents);
  if (cycles.length === 1) return { percent, plusMinus: null };
  const squares = percents.reduce((sum, value) => sum + (value - percent) ** 2, 0);
  return { percent, plusMinus: Math.sqrt(squares / (cycles.length - 1) / cycles.length) };
}

/**
 * CPU of a request in the faster half of the slices. A core of a shared machine is slower by a half for seconds at a time,
 * when its neighbours work; what a monitor does once a second is in every slice or in every other one.
 */
function undisturbed(slices: readonly Slice[]): number {
  const sorted = slices.map(({ usPerRequest }) => usPerRequest).sort((a, b) => a - b);
  return mean(sorted.slice(0, Math.ceil(sorted.length / 2)));
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
