/**
 * Calls a backend from this process the ways an application can: `embed-caller.ts VARIANT PORT LOG_FILE`. Reads lines of
 * JSON (EmbedTask) from stdin and answers each with one EmbedResult line; ends with stdin.
 *
 *   undici             undici.request, bare
 *   dispatcher-plain   the same call through the dispatcher of a mesh that routes and retries
 *   dispatcher         and has ten filters, metrics and access log
 *   request            that mesh by mesh.request
 *   worker-dispatcher, worker-request    the same mesh with `mode: worker`
 *   tls-request, tls-worker              mesh.request to hosts that speak TLS (PORT is a TLS backend's)
 */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { type Dispatcher, Agent as UndiciAgent, request as undiciRequest } from 'undici';
import type { MeshConfig } from '../../src/core/config/input.ts';
import { createMesh } from '../../src/create-mesh.ts';
import type { MeshApi } from '../../src/mesh-api.ts';
import { hostNames } from '../harness/requests.ts';
import { filterNames, inProcessConfig } from '../peers/heddle-config.ts';

export interface EmbedTask {
  readonly seconds: number;
  /** Calls under way at a time. */
  readonly concurrency: number;
  /** Calls a second, begun on time whether the ones before have ended or not; absent: as fast as they are answered. */
  readonly rate?: number;
}

export interface EmbedResult {
  readonly calls: number;
  readonly seconds: number;
  /** Of the whole process, a worker included. */
  readonly cpuUs: number;
  /** Of the thread that calls. */
  readonly appCpuUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Longest wait of the event loop beyond its timer, but for the longest hundredth. */
  readonly loopP99Us: number;
}

const path = '/api/v1/items/7?size=1024';
const answerBytes = 1024;
const hosts = hostNames();
const headers = {
  'user-agent': 'service/1.4',
  accept: 'application/json',
  origin: 'https://app.bench.test',
  'x-tenant': 'tenant-7',
};

/** One call; gives status and whole body. */
type Call = (host: string, id: string) => Promise<{ status: number; body: Uint8Array }>;

const byUndici =
  (dispatcher: Dispatcher, urlOf: (host: string) => string): Call =>
  async (host, id) => {
    const response = await undiciRequest(urlOf(host), {
      dispatcher,
      headers: { ...headers, host, 'x-bench-id': id },
    });
    return { status: response.statusCode, body: new Uint8Array(await response.body.arrayBuffer()) };
  };

const byRequest =
  (mesh: MeshApi): Call =>
  async (authority, id) => {
    const response = await mesh.request({ path, authority, headers: { ...headers, 'x-bench-id': id } });
    return { status: response.status, body: response.body.complete ?? (await response.bytes()) };
  };

function meshConfig(variant: string, port: number, log: string): MeshConfig {
  const without = variant === 'dispatcher-plain' ? filterNames : [];
  const config = inProcessConfig({ level: 'full', hosts, backend: `127.0.0.1:${port}`, log, without });
  const mode = variant.includes('worker') ? 'worker' : 'inProcess';
  if (!variant.startsWith('tls')) return { ...config, mode };
  const tls = { insecureSkipVerify: true } as const;
  const clusters = config.clusters?.map((cluster) => ({ ...cluster, tls }));
  return { ...config, mode, clusters: clusters as NonNullable<MeshConfig['clusters']> };
}

async function callOf(variant: string, port: number, log: string): Promise<Call> {
  if (variant === 'undici') {
    const url = `http://127.0.0.1:${port}${path}`;
    return byUndici(new UndiciAgent({ connections: 256, pipelining: 1 }), () => url);
  }
  const mesh = await createMesh(meshConfig(variant, port, log));
  if (!variant.includes('dispatcher')) return byRequest(mesh);
  const urls = new Map(hosts.map((host) => [host, `http://${host}${path}`]));
  return byUndici(mesh.dispatcher as unknown as Dispatcher, (host) => urls.get(host) as string);
}

let serial = 0;
const times: number[] = [];

async function once(call: Call): Promise<void> {
  const id = String(++serial).padStart(16, '0');
  const startMs = performance.now();
  const { status, body } = await call(hosts[serial % hosts.length] as string, id);
  times.push(performance.now() - startMs);
  if (status !== 200 || body.length !== answerBytes) {
    throw new Error(`a wrong answer: ${status}, ${body.length} bytes`);
  }
}

async function closed(call: Call, concurrency: number, endMs: number): Promise<void> {
  const caller = async (): Promise<void> => {
    while (performance.now() < endMs) await once(call);
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
}

async function paced(call: Call, rate: number, endMs: number): Promise<void> {
  const startMs = performance.now();
  const running = new Set<Promise<void>>();
  let begun = 0;
  while (performance.now() < endMs) {
    const due = Math.floor(((performance.now() - startMs) * rate) / 1000);
    for (; begun < due; begun++) {
      const one = once(call).finally(() => running.delete(one));
      running.add(one);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(running);
}

async function measure(call: Call, { seconds, concurrency, rate }: EmbedTask): Promise<EmbedResult> {
  times.length = 0;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const start = performance.now();
  const cpu = process.cpuUsage();
  const own = process.threadCpuUsage();
  const endMs = start + seconds * 1000;
  await (rate === undefined ? closed(call, concurrency, endMs) : paced(call, rate, endMs));
  const { user, system } = process.cpuUsage(cpu);
  const app = process.threadCpuUsage(own);
  const tookMs = performance.now() - start;
  delay.disable();
  times.sort((a, b) => a - b);
  const at = (q: number): number => (times[Math.floor((times.length - 1) * q)] ?? 0) * 1000;
  return {
    calls: times.length,
    seconds: tookMs / 1000,
    cpuUs: user + system,
    appCpuUs: app.user + app.system,
    p50Us: at(0.5),
    p99Us: at(0.99),
    loopP99Us: Math.max(0, delay.percentile(99) / 1000 - 1000),
  };
}

const [variant = '', port = '', log = ''] = process.argv.slice(2);
const call = await callOf(variant, Number(port), log);
for await (const line of createInterface({ input: process.stdin })) {
  const task = JSON.parse(line) as EmbedTask;
  process.stdout.write(`${JSON.stringify(await measure(call, task))}\n`);
}
process.exit(0);
