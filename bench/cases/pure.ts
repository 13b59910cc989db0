/**
 * Measures one path through Heddle on fake sockets: `pure.ts VARIANT SECONDS` prints one PureResult. Codecs, pools,
 * filters, routes, balancers and logs are the real ones; only reading and writing of sockets is left out.
 *
 *   proxy-bare, proxy-full     a request read, forwarded, answered
 *   call-bare, call-full       mesh.request: a promise and a response object as well
 *   proxy-full-FILTER          proxy-full without that filter; `proxy-full-all`: without any
 *   direct                     the same pool and client codec called without a mesh around them
 */
import type { MeshConfig } from '../../src/core/config/input.ts';
import type { LogOutputs } from '../../src/core/contract/log-output.ts';
import { createMesh, type Mesh } from '../../src/mesh.ts';
import { http1 } from '../../src/transport/codecs/http1/index.ts';
import { hostNames, requestHead } from '../harness/requests.ts';
import { filterNames, inProcessConfig, type Level, standaloneConfig } from '../peers/heddle-config.ts';
import { DirectCaller } from './direct-caller.ts';
import { FakeBackend, FakeWire } from './fake-wire.ts';

export interface PureResult {
  /** Per request: the median of the batches. */
  readonly ns: number;
  /** The best batch. */
  readonly minNs: number;
}

/** Requests in flight at a time. */
const atOnce = 16;
/** The kernel may count a thread's time in ticks of 4 to 10 ms: long batches keep that below 5 %. */
const batchMs = 200;
const backend = '127.0.0.1:9';
const hosts = hostNames();
const body = Buffer.alloc(1024, 'x').toString('latin1');
const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/octet-stream\r\n` +
    `Cache-Control: no-store\r\nContent-Length: 1024\r\n\r\n${body}`,
  'latin1',
);

/** Does `atOnce` requests and checks them. */
type Round = () => void | Promise<void>;

/** Lines are made and batched; the write is a socket's or a disk's business. */
const noLogs: LogOutputs = { open: () => ({ write: () => true, gathering: new Set() }) };

const meshOf = (config: MeshConfig, upstream: FakeBackend): Promise<Mesh> =>
  createMesh(config, { surroundings: { dial: upstream.dial, logs: noLogs } });

async function proxyRound(level: Level, without: readonly string[] = []): Promise<Round> {
  const upstream = new FakeBackend(answer);
  const mesh = await meshOf(
    standaloneConfig({ level, hosts, backend, log: '/log', without }, '127.0.0.1:0'),
    upstream,
  );
  const [listener] = mesh.listeners.all;
  if (listener === undefined) throw new Error('no listener');
  const codecConfig = mesh.config.listeners[0]?.codec.config as Parameters<typeof http1.server>[3];
  const wires = Array.from({ length: 64 }, () => {
    const wire = new FakeWire('accepted');
    http1.server(wire, mesh.runtime.codec, listener, codecConfig);
    return wire;
  });
  const requests = hosts.map((host, index) =>
    Buffer.from(requestHead(host, index, {}, '0123456789abcdef'), 'latin1'),
  );
  let next = 0;
  return () => {
    const first = next;
    for (let i = first; i < first + atOnce; i++) {
      (wires[i % wires.length] as FakeWire).receive(requests[i % requests.length] as Buffer);
    }
    const answered = upstream.answerAll();
    if (answered !== atOnce) throw new Error(`${answered} of ${atOnce} requests reached the backend`);
    for (let i = first; i < first + atOnce; i++) {
      const wire = wires[i % wires.length] as FakeWire;
      if (!wire.take() || wire.lastEnd - wire.lastStart < 1024) {
        throw new Error(`a wrong answer: ${wire.lastText}`);
      }
    }
    next = first + atOnce;
  };
}

const callHeaders = {
  'user-agent': 'service/1.4',
  accept: 'application/json',
  origin: 'https://app.bench.test',
  'x-tenant': 'tenant-7',
  'x-bench-id': '0123456789abcdef',
} as const;

async function callRound(level: Level): Promise<Round> {
  const upstream = new FakeBackend(answer);
  const mesh = await meshOf(inProcessConfig({ level, hosts, backend, log: '/log' }), upstream);
  let next = 0;
  return async () => {
    const calls = [];
    for (let i = next; i < next + atOnce; i++) {
      const authority = hosts[i % hosts.length] as string;
      calls.push(mesh.request({ path: '/api/v1/items/7?size=1024', authority, headers: callHeaders }));
    }
    next += atOnce;
    const answered = upstream.answerAll();
    if (answered !== atOnce) throw new Error(`${answered} of ${atOnce} calls reached the backend`);
    for (const call of calls) {
      const response = await call;
      if (response.status !== 200 || response.body.complete?.length !== 1024)
        throw new Error('a wrong answer');
    }
  };
}

async function directRound(): Promise<Round> {
  const upstream = new FakeBackend(answer);
  const mesh = await meshOf(inProcessConfig({ level: 'bare', hosts, backend, log: '/log' }), upstream);
  const codecConfig = mesh.config.clusters[0]?.codec.config;
  const caller = new DirectCaller(mesh.runtime, upstream.dial, backend, codecConfig);
  let next = 0;
  return () => {
    for (let i = next; i < next + atOnce; i++) {
      caller.start('/api/v1/items/7?size=1024', hosts[i % hosts.length] as string, callHeaders);
    }
    next += atOnce;
    upstream.answerAll();
    if (caller.takeAnswered() !== atOnce) throw new Error('a wrong answer');
  };
}

const fullPrefix = 'proxy-full-';

function roundOf(variant: string): Promise<Round> {
  const without = variant.startsWith(fullPrefix) ? variant.slice(fullPrefix.length) : '';
  if (without === 'all') return proxyRound('full', filterNames);
  if (filterNames.includes(without)) return proxyRound('full', [without]);
  const create = variants[variant];
  if (create === undefined) throw new Error(`no variant ${variant}`);
  return create();
}

const variants: Readonly<Record<string, () => Promise<Round>>> = {
  'proxy-bare': () => proxyRound('bare'),
  'proxy-full': () => proxyRound('full'),
  'call-bare': () => callRound('bare'),
  'call-full': () => callRound('full'),
  direct: directRound,
};

/** CPU time of this thread: what other programs do on this machine counts as little as it can. */
function threadCpuUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

/** One batch; the event loop turns between batches, so timers, log batches and promises get their share. */
async function batch(round: Round): Promise<number> {
  const start = performance.now();
  const startUs = threadCpuUs();
  let rounds = 0;
  while (performance.now() - start < batchMs) {
    const done = round();
    if (done !== undefined) await done;
    rounds++;
  }
  const ns = ((threadCpuUs() - startUs) * 1000) / (rounds * atOnce);
  await new Promise((resolve) => setImmediate(resolve));
  return ns;
}

async function main(variant: string, seconds: number): Promise<PureResult> {
  const round = await roundOf(variant);
  const warmUpEnd = performance.now() + Math.min(1500, seconds * 1000);
  while (performance.now() < warmUpEnd) await batch(round);
  const batches: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) batches.push(await batch(round));
  batches.sort((a, b) => a - b);
  return { ns: batches[batches.length >> 1] ?? Number.NaN, minNs: batches[0] ?? Number.NaN };
}

const [variant = '', seconds = '1'] = process.argv.slice(2);
process.stdout.write(`${JSON.stringify(await main(variant, Number(seconds)))}\n`);
process.exit(0);
