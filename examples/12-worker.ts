/**
 * The mesh in a thread of its own: the same API, while codec, TLS, routing and retries run off this program's event loop.
 * What holds functions is given as a module; a worker that ends is started again, and the program lives on.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMesh, HeddleError } from '../src/index.ts';

const upstream = createServer((request, response) => {
  response.end(`served ${request.url} for ${request.headers['x-tenant']}\n`);
}).listen(0, '127.0.0.1');
await new Promise((resolve) => upstream.once('listening', resolve));
const { port } = upstream.address() as AddressInfo;

const mesh = await createMesh(
  {
    mode: 'worker',
    clusters: [{ name: 'users', endpoints: [`127.0.0.1:${port}`] }],
    inProcess: { filters: [{ name: 'tenant', config: { byDefault: 'everybody' } }] },
  },
  { use: [new URL('./worker/tenant.ts', import.meta.url)] },
);

console.log(await (await mesh.fetch('http://users/42')).text());

// Code of this thread as the host of a cluster: the stream crosses, the function stays.
mesh.handle('orders', async (request) => Response.json({ accepted: await request.text() }));
console.log(await (await mesh.fetch('http://orders/', { method: 'POST', body: 'loom' })).json());

// The filter ends its thread. What was under way says so; the mesh comes back by itself.
try {
  await mesh.fetch('http://users/43', { headers: { 'x-tenant': 'ends the thread' } });
} catch (thrown) {
  if (!(thrown instanceof HeddleError)) throw thrown;
  console.log(thrown.code, `retry: ${thrown.retry}`);
}
for (;;) {
  const response = await mesh.fetch('http://users/44').catch((error: HeddleError) => error);
  if (response instanceof Response) {
    console.log('again:', await response.text());
    break;
  }
  if (response.retry !== 'yes') throw response;
  await new Promise((resolve) => setTimeout(resolve, 50));
}

await mesh.close();
upstream.close();
