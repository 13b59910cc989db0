import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type ProxyProcess, proxyProcess, writeConfig } from '../../e2e/support.ts';
import { Scope } from '../../interop/kit/check.ts';
import { eventually } from '../../mesh/support.ts';
import { soakSeconds } from '../seconds.ts';

const loops = 8;
const workers = 3;
const stepMs = 700;
/** A client that waits longer is hung. */
const hungMs = 30_000;

interface Counts {
  answered: number;
  refused: number;
  /** Reset or ended without an answer: what a killed worker had in its hands. */
  broken: number;
  hung: number;
}

interface Facts {
  readonly state: string;
  readonly pid: number;
}

/**
 * Workers are killed at random and the configuration changes while clients connect for each request: nobody is refused
 * or hangs, only what a killed worker had in its hands breaks, and what all workers counted is what clients got once no
 * worker is killed any more.
 */
export async function run(): Promise<void> {
  await using scope = new Scope();
  const seconds = soakSeconds(60);
  const admin = { address: '127.0.0.1:0', token: 't' };
  const answering = (address: string, body: string) => ({
    listeners: [
      {
        name: 'in',
        address,
        virtualHosts: [
          { name: 'all', domains: ['*'], routes: [{ match: {}, directResponse: { status: 200, body } }] },
        ],
      },
    ],
    admin,
  });
  const proxy = await proxyProcess(scope, answering('127.0.0.1:0', 'start'), ['--workers', String(workers)]);
  const counts: Counts = { answered: 0, refused: 0, broken: 0, hung: 0 };
  let isOver = false;
  const clients = Array.from({ length: loops }, async () => {
    while (!isOver) await ask(proxy.address, counts);
  });
  let kills = 0;
  let reloads = 0;
  const start = performance.now();
  for (let step = 0; performance.now() - start < seconds * 1000; step++) {
    await delay(stepMs);
    if (step % 3 === 1 && (await killOne(proxy, step))) kills++;
    if (step % 2 === 0) await writeConfig(proxy.configPath, answering(proxy.address, `version ${reloads++}`));
  }
  await eventually(async () => (await serving(proxy)).length === workers, 'all workers serve again');
  isOver = true;
  await Promise.all(clients);
  const descriptors = readdirSync(`/proc/${proxy.pid}/fd`).length;
  const before = await counted(proxy);
  const exact: Counts = { answered: 0, refused: 0, broken: 0, hung: 0 };
  for (let i = 0; i < 200; i++) await ask(proxy.address, exact);
  const more = (await counted(proxy)) - before;
  console.log(
    `workers: ${counts.answered} answered, ${counts.refused} refused, ${counts.broken} broken, ${counts.hung} hung over ${kills} kills and ${reloads} reloads in ${seconds} s; ${descriptors} descriptors`,
  );
  if (counts.refused + counts.hung > 0) throw new Error('connections were refused, or nobody answered');
  if (counts.broken > kills * loops) throw new Error('more was lost than the killed workers had');
  if (exact.answered !== 200 || more !== 200)
    throw new Error(`${exact.answered} answered, ${more} counted of 200`);
  if (descriptors > 64) throw new Error('descriptors leak in the supervisor');
}

/** Never the last one that serves. */
async function killOne(proxy: ProxyProcess, step: number): Promise<boolean> {
  const alive = await serving(proxy);
  const pid = alive[step % alive.length]?.pid;
  if (alive.length < 2 || pid === undefined) return false;
  process.kill(pid, 'SIGKILL');
  return true;
}

async function read<Body>(proxy: ProxyProcess, path: string): Promise<Body> {
  return (await fetch(`http://${proxy.admin}/${path}`)).json() as Promise<Body>;
}

async function serving(proxy: ProxyProcess): Promise<Facts[]> {
  return (await read<Facts[]>(proxy, 'workers')).filter(({ state }) => state === 'serving');
}

async function counted(proxy: ProxyProcess): Promise<number> {
  const stats = await read<Record<string, number>>(proxy, 'stats?filter=heddle_downstream_requests_total');
  return stats['heddle_downstream_requests_total{listener=in}'] ?? 0;
}

const request = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n';

function ask(address: string, counts: Counts): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port: Number(address.split(':')[1]), host: '127.0.0.1' }, () =>
      socket.write(request),
    );
    let text = '';
    let isRefused = false;
    const timer = setTimeout(() => {
      counts.hung++;
      socket.destroy();
    }, hungMs);
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      isRefused = error.code === 'ECONNREFUSED';
    });
    socket.on('close', () => {
      clearTimeout(timer);
      if (text.startsWith('HTTP/1.1 200')) counts.answered++;
      else if (isRefused) counts.refused++;
      else counts.broken++;
      resolve();
    });
  });
}
