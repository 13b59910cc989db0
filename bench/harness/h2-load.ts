/** Requests over h2c: h2load makes them, a haproxy that answers by itself stands behind the contenders. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Traffic } from './contest.ts';
import { type LoadPlace, type LoadReport, readLines } from './load.ts';
import { freePorts, waitForPort } from './ports.ts';
import { Unavailable } from './suite.ts';

export interface H2Plan {
  readonly connections: number;
  /** Streams of each connection at once. */
  readonly streams: number;
  readonly answerBytes: number;
}

/** What every stream asks. */
interface H2Request {
  readonly path: string;
  readonly headers: readonly string[];
  /** A file that is sent as body. */
  readonly bodyFile?: string;
  /** Of the body of a right answer. */
  readonly answerBytes: number;
}

type H2Load = Pick<H2Plan, 'connections' | 'streams'> & H2Request;

/** What the C generator sends on HTTP/1.1, so that heads are of the same size. */
const request: Omit<H2Request, 'answerBytes'> = {
  path: '/api/items/1',
  headers: ['accept: */*', 'user-agent: bench/1.0', 'x-tenant: tenant-7', 'accept-language: en'],
};

/** @throws Unavailable without h2load or haproxy */
export function h2Traffic(plan: H2Plan): Traffic {
  requireTool('h2load', 'apt-get install nghttp2-client');
  requireTool('haproxy', 'apt-get install haproxy');
  return {
    startBackend: (place) => startBackend(place, plan.answerBytes),
    run: (place, port, seconds) => runH2load(place, { ...plan, ...request }, port, seconds),
  };
}

export function requireTool(name: string, hint: string): void {
  try {
    execFileSync('sh', ['-c', 'command -v "$1"', 'sh', name], { stdio: 'ignore' });
  } catch {
    throw new Unavailable(`no ${name}: ${hint}`);
  }
}

/** Answers HTTP/1.1 and h2c on one port, without a look at the request. */
async function startBackend(place: LoadPlace, answerBytes: number) {
  const [port = 0] = await freePorts(1);
  const body = join(place.directory, 'answer.txt');
  writeFileSync(body, 'x'.repeat(answerBytes));
  const config = join(place.directory, 'backend.cfg');
  const lines = [
    'global',
    '  nbthread 1',
    '  maxconn 9500',
    // Four kilobytes a stream are plenty, and h2load may open 3,200 of them.
    '  tune.h2.max-concurrent-streams 1000',
    'defaults',
    '  mode http',
    '  timeout connect 5s',
    '  timeout client 60s',
    '  timeout server 60s',
    'frontend answer',
    `  bind 127.0.0.1:${port}`,
    `  http-request return status 200 content-type text/plain file ${body}`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const log = join(place.directory, 'backend.log');
  const child = place.children.start({
    command: 'haproxy',
    args: ['-db', '-f', config],
    core: place.core,
    log,
  });
  const isUp = await waitForPort(port, () => child.exitCode !== null);
  if (!isUp || child.pid === undefined) throw new Error(`the backend did not start; see ${log}`);
  return { port, pid: child.pid, stop: () => place.children.stop(child) };
}

export async function runH2load(
  place: LoadPlace,
  plan: H2Load,
  port: number,
  seconds: number,
): Promise<LoadReport> {
  // `--duration` leaves what is in flight unanswered, a count does not: how many there is time for a first run says.
  const atOnce = plan.connections * plan.streams;
  const first = await h2load(place, plan, port, atOnce * 4);
  if (seconds < 0.2 || first.answered === 0 || first.errors > 0) return first;
  const count = Math.max(atOnce, Math.round((first.answered / first.seconds) * seconds));
  const second = await h2load(place, plan, port, count);
  // Its requests cost the contender as much as those that follow.
  return {
    ...second,
    answered: first.answered + second.answered,
    seconds: first.seconds + second.seconds,
    cpuSeconds: first.cpuSeconds + second.cpuSeconds,
  };
}

async function h2load(place: LoadPlace, plan: H2Load, port: number, count: number): Promise<LoadReport> {
  const args = ['-n', count, '-c', plan.connections, '-m', plan.streams, '-t', 1].map(String);
  for (const each of plan.headers) args.push('-H', each);
  if (plan.bodyFile !== undefined) args.push('-d', plan.bodyFile);
  args.push(`http://127.0.0.1:${port}${plan.path}`);
  const script = 'h2load "$@" 2>&1; times';
  const child = place.children.start({
    command: 'sh',
    args: ['-c', script, 'sh', ...args],
    core: place.core,
    pipe: true,
    log: join(place.directory, 'h2load.log'),
  });
  const lines = readLines(child);
  const exited = once(child, 'exit');
  let text = '';
  for await (const line of lines.interface) text += `${line}\n`;
  await exited;
  return reportOf(text, plan.answerBytes);
}

/**
 * Reads what h2load 1.52 prints, with the `times` of the shell behind it.
 *
 * @param answerBytes of each answer: an error of gRPC has status 200 and no message, so the bytes tell
 */
export function reportOf(text: string, answerBytes: number): LoadReport {
  const [, seconds = '0', unit = 's'] = /finished in ([\d.]+)(us|ms|s|m)\b/.exec(text) ?? [];
  const [, succeeded = '0', failed = '0'] = /, (\d+) succeeded, (\d+) failed/.exec(text) ?? [];
  const [, otherStatus = '0'] = /status codes: \d+ 2xx, (.*)/.exec(text) ?? [];
  const others = [...otherStatus.matchAll(/(\d+) \dxx/g)].reduce((sum, [, each]) => sum + Number(each), 0);
  const [, , max = '0us', mean = '0us'] = /time for request:\s+(\S+)\s+(\S+)\s+(\S+)/.exec(text) ?? [];
  const cpu = [...text.matchAll(/^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/gm)].at(-1) ?? [];
  const [, userM = 0, userS = 0, systemM = 0, systemS = 0] = cpu.map(Number);
  const [, data = '0'] = /headers .*, \S+ \((\d+)\) data/.exec(text) ?? [];
  const short = Number(succeeded) - others - Math.floor(Number(data) / answerBytes);
  const errors = Number(failed) + others + Math.max(0, short);
  return {
    answered: Number(succeeded) - others - Math.max(0, short),
    seconds: Number(seconds) * (scales[unit] ?? 1),
    cpuSeconds: userM * 60 + userS + systemM * 60 + systemS,
    reconnects: 0,
    lateStarts: 0,
    errors,
    firstError: errors > 0 ? firstError(text, short) : '',
    meanUs: micros(mean),
    // h2load shows no percentiles: the mean and the longest stand in their places.
    p50Us: micros(mean),
    p90Us: micros(max),
    p99Us: micros(max),
    maxUs: micros(max),
  };
}

const scales: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, m: 60 };

function micros(text: string): number {
  const [, value = '0', unit = 'us'] = /^([\d.]+)(us|ms|s)$/.exec(text) ?? [];
  return Number(value) * (scales[unit] ?? 0) * 1e6;
}

function firstError(text: string, short: number): string {
  if (short > 0) return `${short} answers without their body`;
  return /status codes: .*/.exec(text)?.[0] ?? 'requests failed';
}
