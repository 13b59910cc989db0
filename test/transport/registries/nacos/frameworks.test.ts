import test from 'ava';
import { endpoint } from '../../../../src/testing/suites/registry-contract-suite.ts';
import { Follower } from '../../../core/discovery/support.ts';
import { eventually, within } from '../../../mesh/support.ts';
import { place } from './support.ts';

const greeter = 'com.example.Greeter';
const provider = (ip: string, more: Record<string, string> = {}) => ({
  ip,
  port: 20_880,
  metadata: { protocol: 'dubbo', path: greeter, interface: greeter, category: 'providers', ...more },
});
const metadata = (revision: string, version = '1.0') => ({
  app: 'greeters',
  revision,
  services: {
    [`${greeter}:${version}:dubbo`]: {
      name: greeter,
      version,
      protocol: 'dubbo',
      port: 20_880,
      path: greeter,
    },
  },
});
const instance = (ip: string, revision: string) => ({
  ip,
  port: 20_880,
  metadata: { 'dubbo.metadata.revision': revision, 'dubbo.metadata.storage-type': 'remote' },
});

test('Dubbo, interface level: version and group are in the name, older names are read too', async (t) => {
  const { server, open } = await place(t);
  const versioned = { version: '1.0', group: 'blue' };
  server.fixed.set(`DEFAULT_GROUP@@providers:${greeter}:1.0:blue`, [provider('10.0.0.1', versioned)]);
  server.fixed.set(`DEFAULT_GROUP@@providers:${greeter}::`, [provider('10.0.0.2')]);
  server.fixed.set(`DEFAULT_GROUP@@providers:${greeter}`, [provider('10.0.0.3')]);
  const registry = open({ dialect: 'dubbo' });
  const [blue, plain] = [new Follower(), new Follower()];
  registry.subscribe(`blue/${greeter}:1.0`, blue.listen);
  registry.subscribe(greeter, plain.listen);
  await eventually(() => blue.addresses.length === 1 && plain.addresses.length === 2, 'both lists');
  t.deepEqual(blue.addresses, ['10.0.0.1:20880']);
  t.deepEqual(plain.addresses, ['10.0.0.2:20880', '10.0.0.3:20880']);
  server.setHosts(`DEFAULT_GROUP@@providers:${greeter}::`, [provider('10.0.0.2'), provider('10.0.0.4')]);
  await eventually(() => plain.addresses.length === 3, 'a change');
});

test('Dubbo, interface level: any version means looking for the names', async (t) => {
  const { server, open } = await place(t);
  for (const version of ['1.0', '2.0'])
    server.fixed.set(`DEFAULT_GROUP@@providers:${greeter}:${version}:`, [
      provider(`10.0.0.${version[0]}`, { version }),
    ]);
  server.fixed.set('DEFAULT_GROUP@@providers:com.example.GreeterOther:1.0:', [provider('10.0.0.9')]);
  const follower = new Follower();
  open({ dialect: 'dubbo' }).subscribe(`${greeter}:*`, follower.listen);
  await eventually(() => follower.addresses.length === 2, 'both versions');
  t.deepEqual(follower.addresses, ['10.0.0.1:20880', '10.0.0.2:20880']);
});

test('Dubbo, application level: mapping, instances and metadata, all watched', async (t) => {
  const { server, open } = await place(t);
  server.setConfig('greeters', 'r1', JSON.stringify(metadata('r1')));
  server.fixed.set('DEFAULT_GROUP@@greeters', [instance('10.0.0.1', 'r1')]);
  const registry = open({ dialect: 'dubbo', migration: { step: 'FORCE_APPLICATION' } });
  const follower = new Follower();
  registry.subscribe(`${greeter}:1.0`, follower.listen);
  await eventually(() => server.requests.includes('ConfigBatchListenRequest'), 'the mapping is watched');
  server.setConfig(greeter, 'mapping', 'others,greeters');
  await eventually(() => follower.addresses.length === 1, 'found by the mapping');
  server.setHosts('DEFAULT_GROUP@@greeters', [instance('10.0.0.1', 'r1'), instance('10.0.0.2', 'r1')]);
  await eventually(() => follower.addresses.length === 2, 'another instance');
  t.is(registry.health().status, 'ok');
});

test('Dubbo: the migration rule of this application is obeyed', async (t) => {
  const { server, open } = await place(t);
  server.fixed.set(`DEFAULT_GROUP@@providers:${greeter}:1.0:`, [provider('10.0.0.1', { version: '1.0' })]);
  server.fixed.set('DEFAULT_GROUP@@greeters', [instance('10.0.0.2', 'r1')]);
  server.setConfig('greeters', 'r1', JSON.stringify(metadata('r1')));
  server.setConfig(greeter, 'mapping', 'greeters');
  server.setConfig(
    'shop.migration',
    'DUBBO_SERVICEDISCOVERY_MIGRATION',
    'key: shop\nstep: FORCE_INTERFACE\n',
  );
  const follower = new Follower();
  open({ dialect: 'dubbo', application: 'shop' }).subscribe(`${greeter}:1.0`, follower.listen);
  await eventually(() => follower.addresses.join() === '10.0.0.1:20880', 'the interface level');
  server.setConfig(
    'shop.migration',
    'DUBBO_SERVICEDISCOVERY_MIGRATION',
    'key: shop\nstep: FORCE_APPLICATION\n',
  );
  await eventually(() => follower.addresses.join() === '10.0.0.2:20880', 'the application level');
  t.pass();
});

test('Dubbo: published at both levels where Dubbo looks, and put back after the server died', async (t) => {
  const { server, open } = await place(t);
  server.setConfig(greeter, 'mapping', 'others');
  const registry = open({ dialect: 'dubbo', application: 'node-app' });
  const service = `blue/${greeter}:1.0`;
  const published = registry.publish?.({ service, endpoint: endpoint('10.0.0.7:20880', { weight: 5 }) });
  await within(Promise.resolve(published?.ready), 'published');
  const [own] = server.hosts(`DEFAULT_GROUP@@providers:${greeter}:1.0:blue`);
  t.like(own, { ip: '10.0.0.7', port: 20_880 });
  t.like(own?.metadata, { protocol: 'dubbo', path: greeter, version: '1.0', group: 'blue', weight: '5' });
  const [app] = server.hosts('DEFAULT_GROUP@@node-app');
  const revision = app?.metadata?.['dubbo.metadata.revision'] ?? '';
  t.regex(revision, /^[0-9a-f]{32}$/);
  t.is(server.configs.get(`mapping\n${greeter}`), 'others,node-app');
  t.like(JSON.parse(server.configs.get(`${revision}\nnode-app`) ?? '{}'), { app: 'node-app', revision });
  await server.stop();
  await server.start(server.grpcPort);
  await eventually(() => server.hosts('DEFAULT_GROUP@@node-app').length === 1, 'put back');
  await published?.withdraw();
  t.deepEqual(server.hosts('DEFAULT_GROUP@@node-app'), []);
  t.deepEqual(server.hosts(`DEFAULT_GROUP@@providers:${greeter}:1.0:blue`), []);
});

test('Dubbo: two applications that add themselves to a mapping at once are both there', async (t) => {
  const { server, open } = await place(t);
  server.setConfig(greeter, 'mapping', 'first');
  const apps = ['a', 'b', 'c'].map((application) => open({ dialect: 'dubbo', application }));
  await within(
    Promise.all(
      apps.map(
        (registry, i) =>
          registry.publish?.({ service: greeter, endpoint: endpoint(`10.0.0.${i + 1}:20880`) }).ready,
      ),
    ),
    'all published',
  );
  t.deepEqual(server.configs.get(`mapping\n${greeter}`)?.split(',').toSorted(), ['a', 'b', 'c', 'first']);
});

test("SOFARPC's layout: found and published by interface, unique id and protocol", async (t) => {
  const { server, open } = await place(t);
  const own = { protocol: 'bolt', version: '1.0', weight: '100', uniqueId: 'u1' };
  const there = { ip: '10.0.0.1', port: 12_200, clusterName: 'default-cluster', metadata: own };
  server.fixed.set(`DEFAULT_GROUP@@${greeter}:u1:DEFAULT`, [there]);
  const registry = open({ dialect: 'sofa', application: 'node-app' });
  const follower = new Follower();
  registry.subscribe(`u1/${greeter}:1.0`, follower.listen);
  await eventually(() => follower.addresses.length === 1, 'found');
  const published = registry.publish?.({
    service: `u1/${greeter}:1.0`,
    endpoint: endpoint('10.0.0.7:12200'),
    protocol: 'bolt',
  });
  await within(Promise.resolve(published?.ready), 'published');
  const mine = server.hosts(`DEFAULT_GROUP@@${greeter}:u1:DEFAULT`).find(({ ip }) => ip === '10.0.0.7');
  t.is(mine?.clusterName, 'default-cluster');
  t.like(mine?.metadata, { protocol: 'bolt', uniqueId: 'u1', version: '1.0', appName: 'node-app' });
  await eventually(() => follower.addresses.length === 2, 'seen by ourselves');
});
