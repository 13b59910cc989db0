/**
 * A mesh inside the program: two instances of a service behind one name, no proxy process and no extra hop.
 * In a program of your own the import reads `from 'heddle'`.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMesh } from '../src/index.ts';

async function startService(name: string) {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ instance: name, path: request.url }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const services = [await startService('users-1'), await startService('users-2')];
const mesh = await createMesh({
  clusters: [{ name: 'users', endpoints: services.map((each) => each.address) }],
  inProcess: { filters: ['request-id'] },
});

// The fast way in: one promise a call, headers and body read on demand.
for (let i = 1; i <= 4; i++) {
  const response = await mesh.request({ authority: 'users', path: `/${i}` });
  console.log(response.status, await response.json());
}

// The same through the Fetch API.
const response = await mesh.fetch('http://users/42?full=1', { headers: { accept: 'application/json' } });
console.log(response.status, response.headers.get('content-type'), await response.json());

await mesh.close();
for (const { server } of services) server.close();
