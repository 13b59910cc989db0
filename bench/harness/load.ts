/** Runs the load generator and the backend, both on the load core. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { Children } from './children.ts';
import { type RequestShape, writeRequests } from './requests.ts';
import type { Tools } from './tools.ts';

/** What one line of bench/load/load.c says. Times in microseconds, of answered requests. */
export interface LoadReport {
  readonly answered: number;
  readonly seconds: number;
  /** CPU of the generator itself. */
  readonly cpuSeconds: number;
  /** Connections that the proxy closed between two requests, as it may. */
  readonly reconnects: number;
  /** Requests of a fixed rate that began over 1 ms late. */
  readonly lateStarts: number;
  readonly errors: number;
  readonly firstError: string;
  readonly meanUs: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

export interface LoadPlan {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Requests a second over all connections; none: each connection as fast as it is answered. */
  readonly rate?: number;
  readonly shape?: RequestShape;
}

/** A load generator that has a machine's cores, directory and children at hand. */
export interface LoadPlace {
  readonly tools: Tools;
  readonly children: Children;
  readonly core: number | null;
  readonly directory: string;
}

/** @throws Error when the generator ends without a report. */
export async function runLoad(place: LoadPlace, plan: LoadPlan): Promise<LoadReport> {
  const mode = plan.rate === undefined ? 'closed' : 'rate';
  const child = startLoad(place, mode, plan, plan.rate ?? 0);
  const lines = readLines(child);
  const report = await nextReport(lines);
  await ended(child);
  return report;
}

/** Connections that stay open: `ready` after one request on each, `again` asks one more on each. */
export interface HeldLoad {
  readonly ready: Promise<LoadReport>;
  again(): Promise<LoadReport>;
  close(): Promise<void>;
}

/** @param atOnce how many connections may be busy at the same time. */
export function holdLoad(place: LoadPlace, plan: LoadPlan, atOnce: number): HeldLoad {
  const child = startLoad(place, 'hold', plan, atOnce);
  const lines = readLines(child);
  return {
    ready: nextReport(lines),
    again: () => {
      child.stdin?.write('again\n');
      return nextReport(lines);
    },
    close: async () => {
      child.stdin?.end('quit\n');
      await ended(child);
    },
  };
}

function startLoad(place: LoadPlace, mode: string, plan: LoadPlan, rate: number): ChildProcess {
  const { bodyBytes = 0, answerBytes = 1024 } = plan.shape ?? {};
  const numbers = [plan.port, plan.connections, plan.seconds, rate, bodyBytes, answerBytes].map(String);
  const requests = writeRequests(place.directory, plan.shape);
  const args = [mode, ...numbers, requests];
  const log = `${place.directory}/load.log`;
  return place.children.start({ command: place.tools.load, args, core: place.core, pipe: true, log });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

export type Lines = AsyncIterator<string> & { interface: Interface };

export function readLines(child: ChildProcess): Lines {
  if (child.stdout === null) throw new Error('the load generator was started without a pipe');
  const reader = createInterface({ input: child.stdout });
  return Object.assign(reader[Symbol.asyncIterator](), { interface: reader });
}

export async function nextReport(lines: Lines): Promise<LoadReport> {
  const line = await lines.next();
  if (line.done === true) throw new Error('the load generator ended without a report; see its log');
  return JSON.parse(line.value) as LoadReport;
}

export interface Backend {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts bench/load/backend.c on a free port. */
export async function startBackend(place: LoadPlace, bodyBytes = 1024): Promise<Backend> {
  const log = `${place.directory}/backend.log`;
  const args = ['0', String(bodyBytes)];
  const child = place.children.start({
    command: place.tools.backend,
    args,
    core: place.core,
    pipe: true,
    log,
  });
  const line = await readLines(child).next();
  const port = Number(/^ready (\d+)$/.exec(line.value ?? '')?.[1]);
  if (!Number.isInteger(port) || child.pid === undefined) throw new Error('the backend did not start');
  return { port, pid: child.pid, stop: () => place.children.stop(child) };
}
