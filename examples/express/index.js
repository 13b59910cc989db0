/** An Express service in a mesh: what it calls is balanced and retried, what comes in is limited before any handler. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import express from 'express';
import { createMesh } from 'heddle';

// Two instances of a service that this one calls; the first fails.
const instances = await Promise.all(
  [503, 200].map(async (status) => {
    const server = createServer((_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end('{"name":"ann"}');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return server;
  }),
);

const mesh = await createMesh({
  clusters: [{ name: 'users', endpoints: instances.map((each) => `127.0.0.1:${each.address().port}`) }],
  inProcess: {
    virtualHosts: [
      {
        name: 'users',
        domains: ['users'],
        routes: [{ match: {}, cluster: 'users', retry: { on: ['gatewayError'], numRetries: 1 } }],
      },
    ],
  },
  ingress: {
    filters: ['request-id', { name: 'local-rate-limit', config: { bucket: { maxTokens: 3 } } }],
  },
});

const app = express();
app.get('/greet/:id', async (request, response) => {
  const user = await (await mesh.fetch(`http://users/${request.params.id}`)).json();
  response.json({ hello: user.name, requestId: request.get('x-request-id') !== undefined });
});
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
mesh.protect(server);

for (let i = 0; i < 4; i++) {
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/greet/42`);
  console.log(answer.status, (await answer.text()).trim());
}

await mesh.close();
for (const each of [server, ...instances]) each.close();
