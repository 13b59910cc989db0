/** {clients} x {meshes} x {what a call must be able to do}: applications keep their code, the mesh does its work. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { interceptOutbound } from '../../src/embedding/outbound.ts';
import { createMesh, type MeshApi, type MeshConfig } from '../../src/index.ts';
import { eventually, within } from '../mesh/support.ts';
import { type Client, clientNames, loadClients } from './clients.ts';

const downloadBytes = 64 * 1024 * 1024;
/** A second copy of what is under way would be as large as the download itself. */
const flatBytes = 40 * 1024 * 1024;
const traceId = '0af7651916cd43dd8448eb211c80319c';

/** What the upstream saw of the calls with one id, which is the last segment of their path. */
interface Seen {
  hits: number;
  bodyBytes: number;
  closed: boolean;
  traces: string[];
  readonly sockets: Set<Socket>;
}
const seen = new Map<string, Seen>();

function seenOf(id: string): Seen {
  let entry = seen.get(id);
  if (entry === undefined) {
    entry = { hits: 0, bodyBytes: 0, closed: false, traces: [], sockets: new Set() };
    seen.set(id, entry);
  }
  return entry;
}

const answers: Record<string, (request: IncomingMessage, response: ServerResponse, entry: Seen) => void> = {
  retry: (_request, response, entry) => {
    response.statusCode = entry.hits < 3 ? 503 : 200;
    response.end(String(entry.hits));
  },
  slow: () => {},
  upload: (request, response, entry) => {
    request.on('data', (chunk: Buffer) => {
      entry.bodyBytes += chunk.length;
    });
    request.on('end', () => response.end(String(entry.bodyBytes)));
  },
  download: (_request, response) => {
    const chunk = Buffer.alloc(64 * 1024, 120);
    let sentBytes = 0;
    const more = (): void => {
      while (sentBytes < downloadBytes) {
        sentBytes += chunk.length;
        if (!response.write(chunk)) {
          response.once('drain', more);
          return;
        }
      }
      response.end();
    };
    more();
  },
  echo: (_request, response) => response.end('fine'),
};

const server = createServer((request, response) => {
  const [, kind = '', id = ''] = (request.url ?? '').split('/');
  const entry = seenOf(id);
  entry.hits++;
  entry.sockets.add(request.socket);
  entry.traces.push(String(request.headers['traceparent']));
  response.once('close', () => {
    entry.closed = !response.writableFinished;
  });
  answers[kind]?.(request, response, entry);
});
server.keepAliveTimeout = 0;

/** The authority `name` leads to the server by a route with retries and a short time limit for /slow. */
const configOf = (name: string, port: number): MeshConfig => ({
  clusters: [{ name, endpoints: [`127.0.0.1:${port}`] }],
  inProcess: {
    virtualHosts: [
      {
        name,
        domains: [name],
        routes: [
          { match: { prefix: '/slow' }, cluster: name, timeoutMs: 300 },
          {
            cluster: name,
            timeoutMs: 0,
            retry: { on: ['gatewayError'], numRetries: 3, backoffBaseMs: 1, backoffMaxMs: 2 },
          },
        ],
      },
    ],
  } as NonNullable<MeshConfig['inProcess']>,
});

const meshKinds = {
  'in-process': (config: MeshConfig): Promise<MeshApi> => createMesh(config),
  worker: (config: MeshConfig): Promise<MeshApi> => createMesh({ ...config, mode: 'worker' }),
} as const;

const running: { mesh: MeshApi; undo: () => void }[] = [];
let clients: Awaited<ReturnType<typeof loadClients>>;

test.before(async () => {
  clients = await loadClients();
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  for (const [kind, create] of Object.entries(meshKinds)) {
    const mesh = await create(configOf(`users-${kind}`, port));
    running.push({ mesh, undo: interceptOutbound(mesh) });
  }
});

test.after.always(async () => {
  for (const { mesh, undo } of running.toReversed()) {
    undo();
    await mesh.close();
  }
  server.closeAllConnections();
  server.close();
});

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** The code of an error, or of the one that it wraps. */
function codeOf(error: unknown): string {
  const { code, cause } = error as { code?: string; cause?: unknown };
  if (typeof code === 'string' && code.startsWith('ERR_REQUEST')) return code;
  return cause === undefined ? String(code) : codeOf(cause);
}

type Check = (t: ExecutionContext, client: Client, host: string, id: string) => Promise<void>;

const checks: Record<string, Check> = {
  async retry(t, client, host, id) {
    const answer = await client(`http://${host}/retry/${id}`, {});
    t.is(answer.status, 200);
    t.is(await textOf(answer.body), '3');
  },
  async timeout(t, client, host, id) {
    const error = await t.throwsAsync(client(`http://${host}/slow/${id}`, {}));
    t.is(codeOf(error), 'ERR_REQUEST_TIMEOUT');
    await eventually(() => seenOf(id).closed, 'the end upstream');
  },
  async abort(t, client, host, id) {
    const controller = new AbortController();
    const call = client(`http://${host}/echo-never/${id}`, { signal: controller.signal });
    await eventually(() => seenOf(id).hits === 1, 'the request upstream');
    controller.abort(new Error('no more'));
    await t.throwsAsync(call);
    await eventually(() => seenOf(id).closed, 'the end upstream');
  },
  async upload(t, client, host, id) {
    const chunk = Buffer.alloc(16 * 1024, 1);
    const body = Readable.from(
      (function* () {
        for (let i = 0; i < 64; i++) yield chunk;
      })(),
      { objectMode: false },
    );
    const answer = await client(`http://${host}/upload/${id}`, { method: 'POST', body });
    t.is(await textOf(answer.body), String(64 * chunk.length));
  },
  async 'keep-alive'(t, client, host, id) {
    for (let i = 0; i < 6; i++) {
      const answer = await client(`http://${host}/echo/${id}`, {});
      t.is(await textOf(answer.body), 'fine');
    }
    t.is(seenOf(id).hits, 6);
    t.true(
      seenOf(id).sockets.size <= 2,
      `${seenOf(id).sockets.size} connections for 6 calls, one after the other`,
    );
  },
  async trace(t, client, host, id) {
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    await textOf((await client(`http://${host}/echo/${id}`, { headers })).body);
    const [trace = ''] = seenOf(id).traces;
    t.is(trace.slice(3, 35), traceId);
    t.not(trace.slice(36, 52), 'b7ad6b7169203331', 'the call has a span of its own');
  },
};

for (const kind of Object.keys(meshKinds)) {
  for (const name of clientNames) {
    for (const [what, check] of Object.entries(checks)) {
      test.serial(`${kind}: ${name}: ${what}`, async (t) => {
        await within(check(t, clients[name], `users-${kind}`, `${kind}-${name}-${what}`), 'the check');
      });
    }
    test.serial(`${kind}: ${name}: 64 MiB come down at flat memory`, async (t) => {
      const answer = await clients[name](`http://users-${kind}/download/${kind}-${name}`, {});
      globalThis.gc?.();
      const before = process.memoryUsage().arrayBuffers;
      let gotBytes = 0;
      let mostBytes = 0;
      let looks = 0;
      for await (const chunk of answer.body) {
        gotBytes += chunk.length;
        if (++looks % 64 === 0) {
          globalThis.gc?.();
          mostBytes = Math.max(mostBytes, process.memoryUsage().arrayBuffers - before);
        }
      }
      t.is(gotBytes, downloadBytes);
      t.true(mostBytes < flatBytes, `${mostBytes} bytes more at the most`);
    });
  }
}
