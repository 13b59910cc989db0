import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import test from 'ava';
import { createMesh, type MeshConfig, openAdmin } from '../../src/index.ts';
import { echo, eventually, type Teardown, upstream, within } from '../mesh/support.ts';
import { folder, proxy, proxyProcess } from './support.ts';

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests are about
  readonly body: any;
}

/** As curl does: `curl --unix-socket PATH -d BODY http://localhost/v1/registry/NAME`. */
async function ask(
  admin: string,
  name: string,
  body?: object | string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const place = admin.startsWith('unix:')
    ? { socketPath: admin.slice(5) }
    : { host: '127.0.0.1', port: admin.split(':')[1] };
  const method = body === undefined ? 'GET' : 'POST';
  const call = httpRequest({ ...place, path: `/v1/registry/${name}`, method, headers });
  call.end(typeof body === 'object' ? JSON.stringify(body) : body);
  const [response] = (await within(once(call, 'response'), name)) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  const isJson = response.headers['content-type'] === 'application/json';
  return { status: response.statusCode ?? 0, body: isJson ? JSON.parse(text) : text };
}

/** Routes everything to the service "users" as the local registry knows it. */
const config = (admin: string, stateDirectory?: string): MeshConfig => ({
  listeners: [
    {
      name: 'in',
      address: '127.0.0.1:0',
      virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ cluster: 'users' }] }],
    },
  ],
  clusters: [{ name: 'users', discovery: { name: 'memory' } }],
  admin: { address: admin, ...(admin.startsWith('unix:') ? {} : { token: 'a token' }) },
  localRegistry: { stateDirectory },
});

async function onSocket(
  t: Teardown,
  stateDirectory?: string,
): Promise<Awaited<ReturnType<typeof proxy>> & { admin: string }> {
  const place = await folder(t);
  const started = await proxy(t, config(`unix:${join(place, 'admin.sock')}`, stateDirectory));
  return { ...started, admin: started.standalone.adminAddress };
}

const statusOf = async (address: string): Promise<number> => (await fetch(`http://${address}/`)).status;

test('what an application publishes gets traffic, and none once it is unpublished', async (t) => {
  const service = await upstream(t, echo);
  const { admin, address } = await onSocket(t);
  t.is(await statusOf(address), 503);
  const said = await ask(admin, 'publish', { service: 'users', address: service.address });
  t.is(said.status, 200);
  t.like(said.body, { result: 'published', isSaved: false });
  t.deepEqual(said.body.registries, [{ registry: 'memory', state: 'published', reason: '' }]);
  await eventually(async () => (await statusOf(address)) === 200, 'traffic');
  const { body: list } = await ask(admin, 'list?service=users');
  t.like(list.publications[0], { service: 'users', endpoint: { address: service.address } });
  const gone = { service: 'users', address: service.address };
  t.is((await ask(admin, 'unpublish', gone)).body.result, 'unpublished');
  await eventually(async () => (await statusOf(address)) === 503, 'no traffic');
  t.is((await ask(admin, 'unpublish', gone)).body.result, 'unknown');
});

test('a subscriber gets the list, then waits for the next one', async (t) => {
  const { admin } = await onSocket(t);
  const first = await ask(admin, 'subscribe', { service: 'users' });
  t.like(first.body, { service: 'users', isKnown: true });
  t.deepEqual(first.body.endpoints, []);
  const { version } = first.body;
  const next = ask(admin, 'subscribe', { service: 'users', version, waitMs: 30_000 });
  await ask(admin, 'publish', { service: 'users', address: '10.0.0.1:80', metadata: { version: '2' } });
  const { body } = await next;
  t.not(body.version, version);
  t.like(body.endpoints[0], { address: '10.0.0.1:80', metadata: { version: '2' }, weight: 1 });
  t.is((await ask(admin, 'unsubscribe', { service: 'users' })).body.result, 'unsubscribed');
});

test('a process that is killed says it all again after its start', async (t) => {
  const service = await upstream(t, echo);
  const state = await folder(t);
  const admin = `unix:${join(state, 'admin.sock')}`;
  const first = await proxyProcess(t, config(admin, state));
  const said = await ask(admin, 'publish', { service: 'users', address: service.address });
  t.true(said.body.isSaved);
  await ask(admin, 'subscribe', { service: 'orders' });
  first.child.kill('SIGKILL');
  await first.exited;
  const second = await proxyProcess(t, config(admin, state));
  t.is(await statusOf(second.address), 200, 'the first request finds it');
  const { body: list } = await ask(admin, 'list');
  t.is(list.publications.length, 1);
  t.is(list.subscriptions.length, 1);
});

test('a state that cannot be read stops no start and is kept aside', async (t) => {
  const state = await folder(t);
  await writeFile(join(state, 'local-registry.json'), '{"version":1,"publ');
  const { admin, lines } = await onSocket(t, state);
  t.is(await readFile(join(state, 'local-registry.json.bad'), 'utf8'), '{"version":1,"publ');
  t.true(lines.some((line) => line.includes('local-registry.json.bad') && line.includes('no JSON')));
  t.true((await ask(admin, 'publish', { service: 'users', address: '10.0.0.1:80' })).body.isSaved);
});

test('a directory that is not there is told, and stops nothing', async (t) => {
  const { admin, standalone } = await onSocket(t, '/nowhere/at/all');
  const said = await ask(admin, 'publish', { service: 'users', address: '10.0.0.1:80' });
  t.like(said.body, { result: 'published', isSaved: false });
  t.like(standalone.mesh.localRegistry.registry.health(), { status: 'degraded' });
});

test('over TCP every write needs the token; bad requests say what is wrong', async (t) => {
  const { standalone } = await proxy(t, config('127.0.0.1:0'));
  const admin = standalone.adminAddress;
  const good = { service: 'users', address: '10.0.0.1:80' };
  for (const name of ['publish', 'unpublish', 'subscribe', 'unsubscribe']) {
    t.is((await ask(admin, name, good)).status, 401, name);
  }
  const headers = { authorization: 'Bearer a token' };
  t.is((await ask(admin, 'publish', good, headers)).status, 200);
  t.is((await ask(admin, 'list')).status, 200);
  t.is((await ask(admin, 'publish')).status, 405);
  const bad = await ask(admin, 'publish', { service: 'users', adress: '10.0.0.1:80' }, headers);
  t.is(bad.status, 400);
  t.like(bad.body.error, { code: 'ERR_REGISTRY_REQUEST' });
  t.regex(bad.body.error.message, /key "adress" is unknown/);
  t.is((await ask(admin, 'publish', 'x'.repeat(65_537), headers)).status, 400);
});

test('a mesh of this process has the same endpoint', async (t) => {
  const address = `unix:${join(await folder(t), 'admin.sock')}`;
  await using mesh = await createMesh({
    admin: { address },
    clusters: [{ name: 'users', discovery: { name: 'memory' } }],
  });
  const service = await upstream(t, echo);
  const admin = await openAdmin(mesh);
  t.is(admin.address, address);
  await ask(admin.address, 'publish', { service: 'users', address: service.address });
  const isServed = (): Promise<boolean> =>
    mesh.request({ authority: 'users' }).then(
      ({ status }) => status === 200,
      () => false,
    );
  await eventually(isServed, 'traffic');
  await mesh.close();
  await t.throwsAsync(ask(admin.address, 'list'), undefined, 'it closes with the mesh');
  await using without = await createMesh();
  await t.throwsAsync(openAdmin(without), { code: 'ERR_OPTION_INVALID' });
});

test('a reload keeps what was said; limits follow it', async (t) => {
  const service = await upstream(t, echo);
  const { admin, address, standalone } = await onSocket(t);
  await ask(admin, 'publish', { service: 'users', address: service.address });
  await eventually(async () => (await statusOf(address)) === 200, 'traffic');
  const next = { ...standalone.mesh.config, localRegistry: { maxPublications: 1, registries: [] } };
  t.true((await standalone.mesh.reload(next)).applied);
  t.is(await statusOf(address), 200);
  const full = await ask(admin, 'publish', { service: 'users', address: '10.0.0.2:80' });
  t.is(full.status, 429);
  t.is(full.body.error.code, 'ERR_REGISTRY_FULL');
});
