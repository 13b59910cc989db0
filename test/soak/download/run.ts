/** 1 GiB down through each way of an application, in-process and by a worker, at flat memory: `npm run soak -- download`. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { interceptOutbound } from '../../../src/embedding/outbound.ts';
import { createMesh, type MeshConfig } from '../../../src/index.ts';
import { type ClientName, clientNames, loadClients } from '../../embedding/clients.ts';

type Clients = Awaited<ReturnType<typeof loadClients>>;

const totalBytes = 1024 * 1024 * 1024;
/** Far below the body, above what buffers on the way may hold. */
const flatBytes = 64 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

export async function run(): Promise<void> {
  const clients = await loadedClients();
  const server = createServer((_request, response) => {
    const chunk = Buffer.alloc(256 * 1024, 120);
    let sentBytes = 0;
    const more = (): void => {
      while (sentBytes < totalBytes) {
        sentBytes += chunk.length;
        if (!response.write(chunk)) {
          response.once('drain', more);
          return;
        }
      }
      response.end();
    };
    more();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await downloadAll(clients, endpoint);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** @throws Error that says what to do where the packages of test/interop are not installed */
async function loadedClients(): Promise<Clients> {
  try {
    return await loadClients();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw cause;
    throw new Error('it needs the HTTP clients of test/interop: npm ci --prefix test/interop', { cause });
  }
}

async function downloadAll(clients: Clients, endpoint: string): Promise<void> {
  for (const mode of ['inProcess', 'worker'] as const) {
    const name = `files-${mode.toLowerCase()}`;
    const routes = [{ cluster: name, timeoutMs: 0 }];
    const config: MeshConfig = {
      mode,
      clusters: [{ name, endpoints: [endpoint] }],
      inProcess: { virtualHosts: [{ name, domains: [name], routes }] },
    };
    const mesh = await createMesh(config);
    const undo = interceptOutbound(mesh);
    // superagent refuses bodies above 200 MB.
    for (const client of clientNames.filter((each) => each !== 'superagent')) {
      await download(mode, client, (await clients[client](`http://${name}/`, {})).body);
    }
    undo();
    await mesh.close();
  }
}

async function download(mode: string, client: ClientName, body: AsyncIterable<Uint8Array>): Promise<void> {
  collect();
  const before = process.memoryUsage.rss();
  const startMs = performance.now();
  let gotBytes = 0;
  let mostBytes = 0;
  let nextLook = 0;
  for await (const chunk of body) {
    gotBytes += chunk.length;
    if (gotBytes < nextLook) continue;
    nextLook += totalBytes / 64;
    collect();
    mostBytes = Math.max(mostBytes, process.memoryUsage.rss() - before);
  }
  const seconds = (performance.now() - startMs) / 1000;
  const mib = (bytes: number): number => Math.round(bytes / 1024 / 1024);
  console.log(
    `download: ${mode}, ${client}: ${mib(gotBytes)} MiB in ${seconds.toFixed(1)} s, +${mib(mostBytes)} MiB resident at the most`,
  );
  if (gotBytes !== totalBytes) throw new Error(`${client}: ${gotBytes} bytes instead of ${totalBytes}`);
  if (mostBytes > flatBytes) throw new Error(`${client}: ${mib(mostBytes)} MiB more were resident`);
}
