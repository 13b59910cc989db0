import test from 'ava';
import { endpoint } from '../../../../src/testing/suites/registry-contract-suite.ts';
import { Follower } from '../../../core/discovery/support.ts';
import { deadAddress, eventually, within } from '../../../mesh/support.ts';
import { FakeNacos } from './fake-nacos.ts';
import { place } from './support.ts';

const users = 'DEFAULT_GROUP@@users';
const one = [{ ip: '10.0.0.1', port: 80 }];

test('the connection is set up as Nacos wants it, and what it asks is answered', async (t) => {
  const { server, open } = await place(t);
  server.fixed.set('DEFAULT_GROUP@@users', one);
  const follower = new Follower();
  open({ namespace: 'staging' }).subscribe('users', follower.listen);
  await eventually(() => follower.addresses.length > 0, 'a list');
  t.like(server.setups[0], { tenant: 'staging', labels: { source: 'sdk', module: 'naming' } });
  t.deepEqual(server.requests.slice(0, 2), ['ServerCheckRequest', 'SubscribeServiceRequest']);
  const [connection] = server.connections;
  if (connection === undefined) throw new Error('no connection');
  for (const type of ['ClientDetectionRequest', 'NotifySubscriberRequest', 'NobodyKnowsRequest']) {
    server.push(connection, type, { serviceInfo: { name: 'users', groupName: 'DEFAULT_GROUP', hosts: one } });
  }
  await eventually(() => server.acknowledged.length === 3, 'three answers');
  t.deepEqual(
    server.acknowledged.map((text) => text.replace(/push-\d+/, 'push')),
    ['ClientDetectionResponse push 200', 'NotifySubscriberResponse push 200', 'ErrorResponse push 500'],
  );
});

test('a server before 2.4 says nothing when the connection is set up', async (t) => {
  const { server, open } = await place(t);
  server.speaksOfAbilities = false;
  server.fixed.set(users, one);
  const follower = new Follower();
  open().subscribe('users', follower.listen);
  await eventually(() => follower.addresses.length > 0, 'a list');
  t.is(server.setups.length, 1);
});

test('a server that sends us elsewhere: the list and what is published never leave', async (t) => {
  const { server, open } = await place(t);
  const next = await new FakeNacos().start();
  t.teardown(() => next.close());
  for (const each of [server, next]) each.fixed.set(users, one);
  const registry = open();
  const follower = new Follower();
  registry.subscribe('users', follower.listen);
  const published = registry.publish?.({ service: 'orders', endpoint: endpoint('10.0.0.9:80') });
  await within(Promise.resolve(published?.ready), 'published');
  await eventually(() => follower.addresses.length > 0, 'a list');
  const [connection] = server.connections;
  if (connection === undefined) throw new Error('no connection');
  // Nacos names the HTTP port of the other server.
  server.push(connection, 'ConnectResetRequest', {
    serverIp: '127.0.0.1',
    serverPort: String(next.grpcPort - server.offset),
  });
  await eventually(() => next.hosts('DEFAULT_GROUP@@orders').length === 1, 'published at the other one');
  t.is(server.hosts('DEFAULT_GROUP@@orders').length, 1, 'and still at the first');
  next.setHosts(users, [...one, { ip: '10.0.0.2', port: 80 }]);
  await eventually(() => follower.addresses.length === 2, 'lists come from the other one');
  t.is(registry.health().status, 'ok');
  await eventually(() => server.connections.size === 0, 'the first connection goes');
});

test('the next server serves when one is down; a server that goes silent is left', async (t) => {
  const { server, open } = await place(t);
  server.fixed.set(users, one);
  const [host, port] = (await deadAddress()).split(':');
  const dead = `${host}:${Number(port) - server.offset}`;
  const registry = open({ addresses: [dead, server.address], keepAliveMs: 100, requestTimeoutMs: 100 });
  const follower = new Follower();
  registry.subscribe('users', follower.listen);
  await eventually(() => follower.addresses.length > 0, 'a list');
  await eventually(() => server.requests.includes('HealthCheckRequest'), 'a health check');
  server.isDeaf = true;
  await eventually(() => /health checks|deadline|in time/i.test(registry.health().reason), 'it is noticed');
  t.is(registry.health().status, 'degraded');
  server.isDeaf = false;
  await eventually(() => registry.health().status === 'ok', 'it is back');
  t.deepEqual(follower.addresses, ['10.0.0.1:80']);
});

test('a server that does not know the connection any more gets another one', async (t) => {
  const { server, open } = await place(t);
  server.fixed.set(users, one);
  const registry = open();
  registry.subscribe('users', () => {});
  await eventually(() => server.connections.size === 1, 'connected');
  const [connection] = server.connections;
  server.connections.clear();
  const follower = new Follower();
  registry.subscribe('orders', follower.listen);
  await eventually(() => follower.deltas.length > 0, 'asked again on another connection');
  t.false(server.connections.has(connection as never));
});

for (const path of ['/nacos/v1/auth/users/login', '/nacos/v3/auth/user/login']) {
  test(`a login by ${path}, renewed before it ends, and again when a token is refused`, async (t) => {
    const { server, open, logger } = await place(t);
    server.users = new Map([['heddle', 'open sesame']]);
    server.loginPath = path;
    server.tokenTtlSeconds = 1;
    server.fixed.set(users, one);
    const registry = open({ username: 'heddle', password: 'open sesame' });
    const follower = new Follower();
    registry.subscribe('users', follower.listen);
    await eventually(() => follower.addresses.length > 0, 'a list');
    t.is(server.logins, 1);
    server.tokens.clear();
    const orders = new Follower();
    registry.subscribe('orders', orders.listen);
    await eventually(() => orders.deltas.length > 0, 'a new token was fetched');
    t.is(server.logins, 2);
    await new Promise((resolve) => setTimeout(resolve, 950));
    registry.subscribe('carts', () => {});
    await eventually(() => server.logins === 3, 'renewed while the old one serves');
    t.false(JSON.stringify(logger.lines).includes('sesame'));
  });
}

test('a wrong password is told without the password', async (t) => {
  const { server, open, logger } = await place(t);
  server.users = new Map([['heddle', 'open sesame']]);
  const registry = open({ username: 'heddle', password: 'simsalabim' });
  registry.subscribe('users', () => {});
  await eventually(() => registry.health().status === 'failed', 'it is told');
  t.regex(registry.health().reason, /login of heddle failed: status 403/);
  t.false(JSON.stringify([logger.lines, registry.health()]).includes('simsalabim'));
});
