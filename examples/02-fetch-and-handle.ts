/**
 * `mesh.handle` serves a cluster by a function of this program, in Fetch API terms. Calls to it pass the same filters,
 * routes and limits as calls over the network; `mesh.connect` gives a raw byte connection instead of a request.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createMesh, HeddleError } from '../src/index.ts';

const mesh = await createMesh({});

mesh.handle('orders', async (request) => {
  if (request.method !== 'POST') return new Response('POST only\n', { status: 405 });
  const order = (await request.json()) as { item: string };
  return Response.json({ accepted: order.item }, { status: 201 });
});

const accepted = await mesh.fetch('http://orders/', {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ item: 'loom' }),
});
console.log(accepted.status, await accepted.json());
console.log((await mesh.fetch('http://orders/')).status);

// Whatever status an upstream gives is an answer. No answer at all is an error that says whether to try again.
try {
  await mesh.fetch('http://nobody/');
} catch (thrown) {
  if (!(thrown instanceof HeddleError)) throw thrown;
  console.log(thrown.code, thrown.context['reason'], `retry: ${thrown.retry}`);
}

// Raw bytes to a host that the balancer chooses.
const echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
await once(echo, 'listening');
const { port } = echo.address() as { port: number };
await mesh.reload({ clusters: [{ name: 'echo', endpoints: [`127.0.0.1:${port}`] }] });
const connection = await mesh.connect('echo');
connection.end('ping');
console.log(String(await connection.toArray()));

await mesh.close();
echo.close();
