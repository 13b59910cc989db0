/** HTTP/1.1 over TLS: wrk makes the requests, the backend behind the contenders is the plain one of every suite. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Traffic } from './contest.ts';
import { type LoadPlace, type LoadReport, readLines, startBackend } from './load.ts';
import { Unavailable } from './suite.ts';

export interface WrkPlan {
  readonly connections: number;
  /** A new connection, and so a new handshake, for each request. */
  readonly closes?: boolean;
}

/** What the C generator sends, so that heads are of the same size. */
const headers = ['accept: */*', 'user-agent: bench/1.0', 'x-tenant: tenant-7', 'accept-language: en'];

/** @throws Unavailable without wrk */
export function tlsTraffic(plan: WrkPlan): Traffic {
  try {
    execFileSync('sh', ['-c', 'command -v wrk'], { stdio: 'ignore' });
  } catch {
    throw new Unavailable('no wrk: apt-get install wrk');
  }
  return {
    startBackend: (place) => startBackend(place),
    run: (place, port, seconds) => runWrk(place, plan, port, seconds),
  };
}

async function runWrk(place: LoadPlace, plan: WrkPlan, port: number, seconds: number): Promise<LoadReport> {
  // wrk counts whole seconds. Its own set-up takes a while: a moment of load is one second of few connections.
  const [connections, duration] =
    seconds < 0.2 ? [2, 1] : [plan.connections, Math.max(1, Math.round(seconds))];
  const args = ['-t', 1, '-c', connections, '-d', duration, '--latency'].map(String);
  for (const each of headers) args.push('-H', each);
  if (plan.closes) args.push('-H', 'connection: close');
  args.push(`https://127.0.0.1:${port}/api/items/1`);
  const child = place.children.start({
    command: 'sh',
    args: ['-c', 'wrk "$@" 2>&1; times', 'sh', ...args],
    core: place.core,
    pipe: true,
    log: join(place.directory, 'wrk.log'),
  });
  const lines = readLines(child);
  const exited = once(child, 'exit');
  let text = '';
  for await (const line of lines.interface) text += `${line}\n`;
  await exited;
  return reportOf(text);
}

/** Reads what wrk 4.1 prints, with the `times` of the shell behind it. */
export function reportOf(text: string): LoadReport {
  const [, requests = '0', seconds = '0', unit = 's'] =
    /(\d+) requests in ([\d.]+)(ms|s|m)\b/.exec(text) ?? [];
  const [, connect = '0', read = '0', write = '0', timeout = '0'] =
    /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text) ?? [];
  const [, otherStatus = '0'] = /Non-2xx or 3xx responses: (\d+)/.exec(text) ?? [];
  const errors = [connect, read, write, timeout, otherStatus].reduce((sum, each) => sum + Number(each), 0);
  const at = (percent: number): number =>
    micros(new RegExp(`^\\s+${percent}%\\s+(\\S+)`, 'm').exec(text)?.[1] ?? '0us');
  const [, mean = '0us', , max = '0us'] =
    /Latency\s+([\d.]+\w+)\s+([\d.]+\w+)\s+([\d.]+\w+)/.exec(text) ?? [];
  const cpu = [...text.matchAll(/^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/gm)].at(-1) ?? [];
  const [, userM = 0, userS = 0, systemM = 0, systemS = 0] = cpu.map(Number);
  return {
    answered: Number(requests) - Number(otherStatus),
    seconds: Number(seconds) * (scales[unit] ?? 1),
    cpuSeconds: userM * 60 + userS + systemM * 60 + systemS,
    reconnects: 0,
    lateStarts: 0,
    errors,
    firstError: errors > 0 ? (/Socket errors: .*|Non-2xx.*/.exec(text)?.[0] ?? 'requests failed') : '',
    meanUs: micros(mean),
    p50Us: at(50),
    p90Us: at(90),
    p99Us: at(99),
    maxUs: micros(max),
  };
}

const scales: Readonly<Record<string, number>> = { us: 1e-6, ms: 1e-3, s: 1, m: 60 };

function micros(text: string): number {
  const [, value = '0', unit = 'us'] = /^([\d.]+)(us|ms|s|m)$/.exec(text) ?? [];
  return Math.round(Number(value) * (scales[unit] ?? 0) * 1e6);
}
