/** Hono twice: as a server that the mesh protects, and as a service inside the mesh that needs no server at all. */
import { once } from 'node:events';
import { serve } from '@hono/node-server';
import { createMesh } from 'heddle';
import { Hono } from 'hono';

const users = new Hono();
users.get('/:id', (context) => context.json({ id: context.req.param('id'), name: 'ann' }));

const mesh = await createMesh({ ingress: { filters: ['request-id'] } });
mesh.handle('users', users.fetch);

const app = new Hono();
app.get('/greet/:id', async (context) => {
  const user = await (await mesh.fetch(`http://users/${context.req.param('id')}`)).json();
  return context.text(
    `hello ${user.name}, your request has an id: ${context.req.header('x-request-id') !== undefined}`,
  );
});
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
if (!server.listening) await once(server, 'listening');
mesh.protect(server);

const answer = await fetch(`http://127.0.0.1:${server.address().port}/greet/42`);
console.log(answer.status, await answer.text());

server.close();
await mesh.close();
