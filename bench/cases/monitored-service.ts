import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Lines, readLines } from '../harness/load.ts';
import type { Bench } from '../harness/suite.ts';
import type { MonitorWay } from './monitor-ways.ts';

const app = fileURLToPath(new URL('./http-app.mjs', import.meta.url));
const switchedApp = fileURLToPath(new URL('./switched-app.mjs', import.meta.url));

export interface RunningService {
  readonly way: MonitorWay;
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/** A service whose monitor is off at first. */
export interface SwitchedService extends RunningService {
  /** Resolves when it is on or off. */
  turn(to: 'on' | 'off'): Promise<void>;
}

/** Starts `http-app.mjs` as users of the way do, and waits until it listens. */
export async function httpService(bench: Bench, way: MonitorWay): Promise<RunningService> {
  const { pid, port, stop } = await start(bench, way, [...way.flags, app]);
  return { way, pid, port, stop };
}

/** Starts `switched-app.mjs`, everything off, and waits until it listens. */
export async function switchedService(bench: Bench, way: MonitorWay): Promise<SwitchedService> {
  const { pid, port, stop, ask } = await start(bench, way, [switchedApp, moduleUrl(way.switch)]);
  return { way, pid, port, stop, turn: ask };
}

export const moduleUrl = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;

interface Started extends Omit<RunningService, 'way'> {
  ask(word: string): Promise<void>;
}

async function start(bench: Bench, way: MonitorWay, args: readonly string[]): Promise<Started> {
  const directory = join(bench.directory, `captures-${way.name.replaceAll(/\W+/g, '-')}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const child = bench.children.start({
    command: process.execPath,
    args,
    env: { HEDDLE_PROFILES: directory, ...way.env },
    cwd: directory,
    core: bench.cores.proxy,
    pipe: true,
    log: join(bench.directory, 'app.log'),
  });
  const lines = readLines(child);
  const port = Number(/^ready (\d+)$/.exec(await lineOf(lines, way))?.[1]);
  const ask = async (word: string): Promise<void> => {
    child.stdin?.write(`${word}\n`);
    const answer = await lineOf(lines, way);
    if (answer !== word) throw new Error(`${way.name}: expected "${word}", got "${answer}"`);
  };
  return { pid: child.pid ?? 0, port, stop: () => bench.children.stop(child), ask };
}

async function lineOf(lines: Lines, way: MonitorWay): Promise<string> {
  const line = await lines.next();
  if (line.done === true) throw new Error(`${way.name}: the service ended; see app.log of the run`);
  return line.value;
}
