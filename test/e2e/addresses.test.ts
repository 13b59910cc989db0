import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { createMesh } from '../../src/index.ts';
import { echo, eventually, upstream, within } from '../mesh/support.ts';
import { folder, gateway, proxy, Raw, writeConfig } from './support.ts';

test('listener and host on unix sockets', async (t) => {
  const place = await folder(t);
  const host = join(place, 'host.sock');
  const front = join(place, 'front.sock');
  const server = createServer((_request, response) => void response.end('by unix'));
  server.listen(host);
  await once(server, 'listening');
  t.teardown(() => void server.close());
  const { standalone } = await proxy(t, gateway(`unix:${host}`, { address: `unix:${front}` }));
  const call = httpRequest({ socketPath: front, path: '/' });
  call.end();
  const [response] = (await within(once(call, 'response'), 'the answer')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  t.is(text, 'by unix');
  await standalone.close();
  t.false(existsSync(front), 'the path is removed');
  server.closeAllConnections();
});

test('a unix socket left behind by a dead process is taken over, a live one is not', async (t) => {
  const path = join(await folder(t), 'front.sock');
  const first = await proxy(t, gateway('127.0.0.1:1', { address: `unix:${path}` }));
  t.like(await t.throwsAsync(proxy(t, gateway('127.0.0.1:1', { address: `unix:${path}` }))), {
    code: 'ERR_LISTENER_ADDRESS',
  });
  using raw = new Raw(`unix:${path}`);
  raw.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  t.regex(await raw.until(/connect_failure/), /^HTTP\/1\.1 503 /);
  await first.standalone.close();
});

test('IPv6 for listeners and hosts', async (t) => {
  const probe = createTcpServer();
  probe.listen(0, '::1');
  const hasIpv6 = await Promise.race([
    once(probe, 'listening').then(() => true),
    once(probe, 'error').then(() => false),
  ]);
  probe.close();
  if (!hasIpv6) {
    t.pass('no IPv6 here');
    return;
  }
  const server = createServer((_request, response) => void response.end('by IPv6'));
  server.listen(0, '::1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  const { port } = server.address() as import('node:net').AddressInfo;
  const { address } = await proxy(t, gateway(`[::1]:${port}`, { address: '[::1]:0' }));
  t.regex(address, /^\[::1\]:\d+$/);
  t.is(await (await fetch(`http://${address}/`)).text(), 'by IPv6');
  server.closeAllConnections();
});

test('file discovery: hosts come and go with the file, a bad one keeps the last list', async (t) => {
  const one = await upstream(t, (_request, response) => void response.end('one'));
  const two = await upstream(t, (_request, response) => void response.end('two'));
  const path = join(await folder(t), 'services.json');
  await writeConfig(path, { users: [one.address] });
  await using mesh = await createMesh({
    clusters: [{ name: 'users', discovery: { name: 'file', config: { path } } }],
  });
  const hosts = (): string =>
    (mesh.clusters.get('users')?.stats().hostStats ?? [])
      .map((host) => host.address)
      .sort()
      .join();
  const seen = async (): Promise<string> => {
    const texts = new Set<string>();
    for (let i = 0; i < 6; i++) texts.add(await (await mesh.fetch('http://users/')).text());
    return [...texts].sort().join();
  };
  t.is(await seen(), 'one', 'the first request finds the first list');
  await writeConfig(path, { users: [one.address, { address: two.address }] });
  await eventually(() => hosts() === [one.address, two.address].sort().join(), 'both hosts');
  t.is(await seen(), 'one,two');
  await writeConfig(path, '{ broken');
  await writeConfig(path, { users: [two.address] });
  await eventually(() => hosts() === two.address, 'the second host alone');
  t.is(await seen(), 'two');
});

test('DNS discovery resolves localhost end to end, and a name that does not exist leaves the cluster empty', async (t) => {
  const server = createServer(echo);
  server.listen(0);
  await once(server, 'listening');
  t.teardown(() => void server.close());
  const { port } = server.address() as import('node:net').AddressInfo;
  const dns = (name: string) => ({ name: 'dns', config: { names: [`${name}:${port}`], family: 'v4' } });
  await using mesh = await createMesh({
    clusters: [
      { name: 'local', discovery: dns('localhost') },
      { name: 'gone', discovery: dns('nowhere.invalid') },
    ],
  });
  t.is((await mesh.fetch('http://local/')).status, 200);
  t.deepEqual(
    mesh.clusters
      .get('local')
      ?.stats()
      .hostStats.map((host) => host.address),
    [`127.0.0.1:${port}`],
  );
  t.like(await t.throwsAsync(mesh.fetch('http://gone/')), { code: 'ERR_CLUSTER_NO_HOST' });
  const registry = mesh.clusters.registries.health().map((each) => each.health.status);
  t.true(registry.includes('degraded') || registry.includes('failed'), registry.join());
  server.closeAllConnections();
});
