/**
 * Calls a backend from this process as fast as it answers: `caller.ts VARIANT PORT LOG_FILE`. Reads lines "SECONDS" from
 * stdin and answers each with one CallerResult line; ends with stdin.
 *
 *   undici         undici.request and body.arrayBuffer(), as its users write it
 *   node-http      http.request with a keep-alive agent
 *   mesh-bare      mesh.request, nothing configured but routes
 *   mesh-full      mesh.request with ten filters, retry policy, balancing, metrics, access log
 */
import { Agent, request as httpRequest } from 'node:http';
import { createInterface } from 'node:readline';
import { Agent as UndiciAgent, request as undiciRequest } from 'undici';
import { createMesh } from '../../src/mesh.ts';
import { hostNames } from '../harness/requests.ts';
import { inProcessConfig, type Level } from '../peers/heddle-config.ts';

export interface CallerResult {
  readonly calls: number;
  readonly cpuUs: number;
  readonly seconds: number;
}

const concurrency = 64;
const answerBytes = 1024;
const path = '/api/v1/items/7?size=1024';
const hosts = hostNames();
const headers = {
  'user-agent': 'service/1.4',
  accept: 'application/json',
  origin: 'https://app.bench.test',
  'x-tenant': 'tenant-7',
};

/** One call; gives the whole body. */
type Call = (host: string, id: string) => Promise<{ status: number; body: Uint8Array }>;

async function meshCaller(level: Level, port: number, log: string): Promise<Call> {
  const mesh = await createMesh(inProcessConfig({ level, hosts, backend: `127.0.0.1:${port}`, log }));
  return async (authority, id) => {
    const response = await mesh.request({ path, authority, headers: { ...headers, 'x-bench-id': id } });
    return { status: response.status, body: response.body.complete ?? (await response.bytes()) };
  };
}

function undiciCaller(port: number): Call {
  const dispatcher = new UndiciAgent({ connections: concurrency, pipelining: 1 });
  const url = `http://127.0.0.1:${port}${path}`;
  return async (host, id) => {
    const response = await undiciRequest(url, {
      dispatcher,
      headers: { ...headers, host, 'x-bench-id': id },
    });
    return { status: response.statusCode, body: new Uint8Array(await response.body.arrayBuffer()) };
  };
}

function nodeCaller(port: number): Call {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  return (host, id) =>
    new Promise((resolve, reject) => {
      const options = {
        port,
        host: '127.0.0.1',
        path,
        agent,
        headers: { ...headers, host, 'x-bench-id': id },
      };
      const request = httpRequest(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
      });
      request.on('error', reject);
      request.end();
    });
}

async function callerOf(variant: string, port: number, log: string): Promise<Call> {
  switch (variant) {
    case 'undici':
      return undiciCaller(port);
    case 'node-http':
      return nodeCaller(port);
    case 'mesh-bare':
      return meshCaller('bare', port, log);
    case 'mesh-full':
      return meshCaller('full', port, log);
    default:
      throw new Error(`no variant ${variant}`);
  }
}

let serial = 0;

/** Calls until `endMs`, one after the other, and checks that each answer is that of its call. */
async function worker(call: Call, endMs: number): Promise<number> {
  let calls = 0;
  while (performance.now() < endMs) {
    const id = String(++serial).padStart(16, '0');
    const { status, body } = await call(hosts[serial % hosts.length] as string, id);
    if (status !== 200 || body.length !== answerBytes || !startsWith(body, id)) {
      throw new Error(`a wrong answer: ${status}, ${body.length} bytes`);
    }
    calls++;
  }
  return calls;
}

function startsWith(body: Uint8Array, id: string): boolean {
  for (let i = 0; i < id.length; i++) if (body[i] !== id.charCodeAt(i)) return false;
  return true;
}

async function measure(call: Call, seconds: number): Promise<CallerResult> {
  const start = performance.now();
  const cpu = process.cpuUsage();
  const endMs = start + seconds * 1000;
  const workers = Array.from({ length: concurrency }, () => worker(call, endMs));
  const calls = (await Promise.all(workers)).reduce((sum, each) => sum + each, 0);
  const { user, system } = process.cpuUsage(cpu);
  return { calls, cpuUs: user + system, seconds: (performance.now() - start) / 1000 };
}

const [variant = '', port = '', log = ''] = process.argv.slice(2);
const call = await callerOf(variant, Number(port), log);
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await measure(call, Number(line)))}\n`);
}
process.exit(0);
