/** A contender's way in and out of a contest: found, started, probed, and in the end checked and stopped. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender, Place } from './contender.ts';
import { freePorts, waitForPort } from './ports.ts';
import { missingWork, probe } from './probe.ts';
import { hostNames } from './requests.ts';
import type { RoundResult } from './results.ts';
import { type Bench, Unavailable } from './suite.ts';

const startDeadlineMs = 15_000;

/** A contender that runs. */
export interface Entry {
  readonly contender: Contender;
  readonly place: Place;
  readonly child: ChildProcess;
  readonly version: string;
  readonly rounds: (RoundResult | null)[];
  readonly problems: string[];
}

/** A contender that does not take part, and why. */
export interface Absent {
  readonly contender: Contender;
  readonly version: string | null;
  readonly reason: string;
}

export const isAbsent = (entrant: Entry | Absent): entrant is Absent => 'reason' in entrant;

export const isRunning = (child: ChildProcess): boolean =>
  child.exitCode === null && child.signalCode === null && child.pid !== undefined;

/**
 * Finds, starts and probes one contender.
 * @param probing what is wrong with its first answers, where it does not speak HTTP
 */
export async function enter(
  bench: Bench,
  contender: Contender,
  backendPort: number,
  probing?: (port: number) => Promise<string[]>,
): Promise<Entry | Absent> {
  const found = await contender.find();
  if (found.version === null) {
    bench.progress(`${contender.name}: not here: ${found.reason}`);
    return { contender, version: null, reason: found.reason };
  }
  bench.version(contender.name, found.version);
  const [port = 0, adminPort = 0] = await freePorts(2);
  const directory = mkdtempSync(join(bench.directory, `${contender.name.replaceAll(/[^\w-]+/g, '-')}-`));
  const place = { port, adminPort, backendPort, directory, hosts: hostNames(), path: found.path };
  const log = join(directory, 'output.log');
  const spec = await tryLaunch(contender, place);
  if (typeof spec === 'string') return { contender, version: found.version, reason: spec };
  const child = bench.children.start({ log, ...spec, core: bench.cores.proxy });
  const reason = await whyNotReady(child, contender, place, probing);
  if (reason === null) return { contender, place, child, version: found.version, rounds: [], problems: [] };
  bench.progress(`${contender.name}: ${reason}; its output: ${log}`);
  await bench.children.stop(child);
  return { contender, version: found.version, reason };
}

/** What to start, or why that cannot be said. */
async function tryLaunch(
  contender: Contender,
  place: Place,
): Promise<Awaited<ReturnType<Contender['launch']>> | string> {
  try {
    return await contender.launch(place);
  } catch (error) {
    if (error instanceof Unavailable) return error.message;
    throw error;
  }
}

async function whyNotReady(
  child: ChildProcess,
  contender: Contender,
  place: Place,
  probing?: (port: number) => Promise<string[]>,
): Promise<string | null> {
  const deadline = performance.now() + startDeadlineMs;
  if (!(await waitForPort(place.port, () => !isRunning(child) || performance.now() > deadline))) {
    return isRunning(child)
      ? `not listening after ${startDeadlineMs} ms`
      : `ended with ${child.exitCode ?? child.signalCode} at start`;
  }
  try {
    const problems =
      probing === undefined
        ? missingWork(await probe(place.port, place.hosts[0] ?? ''), contender.work ?? {})
        : await probing(place.port);
    return problems.length === 0 ? null : problems.join('; ');
  } catch (error) {
    return `no answer to the first request: ${(error as Error).message}`;
  }
}

/** Stops a contender. @returns the work that it promised and did not do. */
export async function leave(bench: Bench, entry: Entry): Promise<string[]> {
  const { contender, place, child } = entry;
  const problems = isRunning(child) ? [...((await contender.verify?.(place)) ?? [])] : ['it ended by itself'];
  await bench.children.stop(child);
  const log = contender.work?.log;
  if (log !== undefined && sizeOf(join(place.directory, log)) === 0) problems.push(`it wrote no ${log}`);
  return problems;
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
