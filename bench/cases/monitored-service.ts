import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench } from '../harness/suite.ts';
import type { MonitorWay } from './monitor-ways.ts';

const app = fileURLToPath(new URL('./http-app.mjs', import.meta.url));

export interface RunningService {
  readonly way: MonitorWay;
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts `http-app.mjs` in one way and waits until it listens. */
export async function httpService(bench: Bench, way: MonitorWay): Promise<RunningService> {
  const directory = join(bench.directory, `captures-${way.name.replaceAll(/\W+/g, '-')}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const child = bench.children.start({
    command: process.execPath,
    args: [...way.flags, app],
    env: { HEDDLE_PROFILES: directory, ...way.env },
    cwd: directory,
    core: bench.cores.proxy,
    pipe: true,
    log: join(bench.directory, 'app.log'),
  });
  const port = await portOf(child.stdout as NodeJS.ReadableStream);
  return { way, pid: child.pid ?? 0, port, stop: () => bench.children.stop(child) };
}

async function portOf(output: NodeJS.ReadableStream): Promise<number> {
  for await (const chunk of output) {
    const port = /ready (\d+)/.exec(String(chunk))?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error('the service did not start');
}
