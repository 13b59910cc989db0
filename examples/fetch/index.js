/** Plain fetch: by the mesh, or the global one with the mesh as its dispatcher; other hosts stay as they were. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createMesh } from 'heddle';

const start = async (name) => {
  const server = createServer((request, response) => response.end(`${name} saw ${request.url}`));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
};
const [users, elsewhere] = await Promise.all([start('users'), start('elsewhere')]);

const mesh = await createMesh({
  clusters: [{ name: 'users', endpoints: [`127.0.0.1:${users.address().port}`] }],
});

console.log(await (await mesh.fetch('http://users/1')).text());
console.log(await (await fetch('http://users/2', { dispatcher: mesh.dispatcher })).text());
const other = `http://127.0.0.1:${elsewhere.address().port}/3`;
console.log(await (await fetch(other, { dispatcher: mesh.dispatcher })).text());

await mesh.close();
for (const each of [users, elsewhere]) each.close();
