/** What a thing costs a service, measured inside one process by switching it on and off. */
import { type LoadPlace, runLoad } from '../harness/load.ts';
import { cpuBetween, sampleCpu } from '../harness/proc.ts';
import type { SwitchedService } from './monitored-service.ts';

/** As fast as it is answered: the service fills its core, so CPU a request is throughput. */
const load = { connections: 16 };
/** Nothing is counted until modules are loaded, code is compiled and collectors know the rate. */
const settleSeconds = { on: 4, off: 1 };
const offSeconds = 4;

/** A second of load. */
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
  for (let second = 0; second < seconds; second++) slices.push(await slice(place, service));
  return slices;
}

async function slice(place: LoadPlace, { way, pid, port }: SwitchedService): Promise<Slice> {
  const before = sampleCpu(pid, place.tools.cpuclock);
  const report = await runLoad(place, { port, ...load, seconds: 1 });
  const cpuUs = cpuBetween(before, sampleCpu(pid, place.tools.cpuclock)).totalUs;
  if (report.errors > 0) throw new Error(`${way.name}: ${report.firstError}`);
  return { usPerRequest: cpuUs / report.answered, p99Us: report.p99Us };
}

export interface SwitchLoss {
  /** More CPU for a request while it is on, in percent; the service fills its core, so it is so much less throughput. */
  readonly percent: number;
  /** One standard error of that, from how much the seconds of one phase differ; null for a single second. */
  readonly plusMinus: number | null;
}

/** Means, not medians: what runs only now and then has to count. Null without a cycle. */
export function lossOf(cycles: readonly SwitchCycle[]): SwitchLoss | null {
  if (cycles.length === 0) return null;
  const percents = cycles.map(({ on, off }) => (mean(on) / mean(off) - 1) * 100);
  const variances = cycles.map(({ on, off }) => variance(on) + variance(off));
  const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
  const plusMinus = (Math.sqrt(sum(variances)) / cycles.length) * 100;
  return { percent: sum(percents) / cycles.length, plusMinus: Number.isFinite(plusMinus) ? plusMinus : null };
}

export const mean = (slices: readonly Slice[]): number =>
  slices.reduce((sum, { usPerRequest }) => sum + usPerRequest, 0) / slices.length;

/** Of the mean, relative to it. */
function variance(slices: readonly Slice[]): number {
  const middle = mean(slices);
  const squares = slices.reduce((sum, { usPerRequest }) => sum + (usPerRequest - middle) ** 2, 0);
  return squares / (slices.length - 1) / slices.length / middle ** 2;
}
