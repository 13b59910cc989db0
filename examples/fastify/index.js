/** A Fastify service behind and in front of a mesh. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import Fastify from 'fastify';
import { createMesh } from 'heddle';

const users = createServer((request, response) => response.end(JSON.stringify({ path: request.url })));
await once(users.listen(0, '127.0.0.1'), 'listening');

const mesh = await createMesh({
  clusters: [{ name: 'users', endpoints: [`127.0.0.1:${users.address().port}`] }],
  ingress: {
    filters: [
      { name: 'header-mutation', config: { responseHeaders: [{ name: 'x-served-by', value: 'heddle' }] } },
    ],
  },
});

const app = Fastify();
app.get('/users/:id', async (request) => (await mesh.fetch(`http://users/${request.params.id}`)).json());
mesh.protect(app.server);
const address = await app.listen({ port: 0, host: '127.0.0.1' });

const answer = await fetch(`${address}/users/42`);
console.log(answer.status, answer.headers.get('x-served-by'), await answer.text());

await app.close();
await mesh.close();
users.close();
