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
  /** CPU of the load generator for a request: it does the same all the time, so it tells how fast the machine is. */
  readonly loaderUs: number;
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
  const { answered, cpuSeconds, p99Us } = report;
  return { usPerRequest: cpuUs / answered, loaderUs: (cpuSeconds * 1e6) / answered, p99Us };
}

export interface SwitchLoss {
  /** More CPU for a request while it is on, in percent; the service fills its core, so it is so much less throughput. */
  readonly percent: number;
  /** One standard error of that: by what is left of the fit, or by how much the cycles differ, whichever is larger. */
  readonly plusMinus: number;
}

/**
 * A core of a shared machine is slower by a half for seconds at a time, when its neighbours work. How much of a slice's
 * time is that, the load generator tells; the rest is compared (analysis of covariance: a least-squares fit of
 * `ln us = process + a ln loader + b on`). What a monitor does once a second is in every other slice and counts.
 *
 * Null without a cycle of several slices.
 */
export function lossOf(cycles: readonly SwitchCycle[]): SwitchLoss | null {
  const each = cycles.map(pointsOf);
  const points = each.flat();
  const free = points.length - cycles.length - 2;
  if (free <= 0) return null;
  const loaderOn = sumOf(points, ({ loader, on }) => loader * on);
  const loaderUs = sumOf(points, ({ loader, us }) => loader * us);
  const onUs = sumOf(points, ({ on, us }) => on * us);
  const onOn = sumOf(points, ({ on }) => on * on);
  const loaderLoader = sumOf(points, ({ loader }) => loader * loader);
  const determinant = loaderLoader * onOn - loaderOn ** 2;
  // A machine that is equally fast all the time has nothing to correct.
  const isSteady = determinant <= onOn * 1e-12;
  const a = isSteady ? 0 : (loaderUs * onOn - onUs * loaderOn) / determinant;
  const b = isSteady ? onUs / onOn : (onUs * loaderLoader - loaderUs * loaderOn) / determinant;
  const rest = sumOf(points, ({ loader, on, us }) => (us - a * loader - b * on) ** 2);
  const variance = (rest / free) * (isSteady ? 1 / onOn : loaderLoader / determinant);
  const plusMinus = Math.max(Math.sqrt(variance), betweenCycles(each, a, b));
  return { percent: (Math.exp(b) - 1) * 100, plusMinus: plusMinus * 100 };
}

/** Slices that follow each other are alike, so their error looks smaller than it is; cycles are apart. */
function betweenCycles(each: readonly (readonly Point[])[], a: number, b: number): number {
  if (each.length < 2) return 0;
  const squares = each.map((points) => {
    const own =
      sumOf(points, ({ us, loader, on }) => (us - a * loader) * on) / sumOf(points, ({ on }) => on * on);
    return (own - b) ** 2;
  });
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / (each.length - 1) / each.length);
}

/** Logarithms, each less the mean of its process: processes of one program differ by where their code came to lie. */
interface Point {
  readonly us: number;
  readonly loader: number;
  readonly on: number;
}

function pointsOf({ off, on }: SwitchCycle): Point[] {
  const raw = [...off.map((slice) => ({ slice, on: 0 })), ...on.map((slice) => ({ slice, on: 1 }))].map(
    ({ slice, on: isOn }) => ({
      us: Math.log(slice.usPerRequest),
      loader: Math.log(slice.loaderUs),
      on: isOn,
    }),
  );
  const mean = (read: (point: Point) => number): number => sumOf(raw, read) / raw.length;
  const [us, loader, isOn] = [
    mean((point) => point.us),
    mean((point) => point.loader),
    mean((point) => point.on),
  ];
  return raw.map((point) => ({ us: point.us - us, loader: point.loader - loader, on: point.on - isOn }));
}

const sumOf = (points: readonly Point[], read: (point: Point) => number): number =>
  points.reduce((sum, point) => sum + read(point), 0);
