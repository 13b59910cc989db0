import test from 'ava';
import { endpoint } from '../../../../src/testing/suites/registry-contract-suite.ts';
import { Follower } from '../../../core/discovery/support.ts';
import { type Place, place } from './registry-support.ts';

const greeter = 'com.example.Greeter';
const url = (host: string, more = ''): string =>
  `dubbo://${host}:20880/${greeter}?application=greeters&interface=${greeter}&side=provider&timestamp=1${more}`;
const metadata = (revision: string, version = ''): string =>
  JSON.stringify({
    app: 'greeters',
    revision,
    services: {
      [`${greeter}${version === '' ? '' : `:${version}`}:dubbo`]: {
        name: greeter,
        version,
        protocol: 'dubbo',
        port: 20880,
        path: greeter,
        params: { timeout: '1000' },
      },
    },
  });
const instance = (host: string, revision: string, storage = 'remote'): string =>
  JSON.stringify({
    name: 'greeters',
    id: `${host}:20880`,
    address: host,
    port: 20880,
    payload: {
      '@class': 'org.apache.dubbo.registry.zookeeper.ZookeeperInstance',
      metadata: { 'dubbo.metadata.revision': revision, 'dubbo.metadata.storage-type': storage },
    },
    serviceType: 'DYNAMIC',
  });

function putInterface({ server }: Place, hosts: readonly string[]): void {
  const folder = `/dubbo/${greeter}/providers`;
  server.tree.deleteAll(folder);
  server.tree.put(folder);
  for (const host of hosts) server.tree.put(`${folder}/${encodeURIComponent(url(host))}`);
}

test('the interface level: providers by their URLs, with changes', async (t) => {
  const at = place();
  putInterface(at, ['10.0.0.1', '10.0.0.2']);
  const registry = at.open({});
  const follower = new Follower();
  registry.subscribe(greeter, follower.listen);
  await at.net.pass(3000);
  t.deepEqual(follower.addresses, ['10.0.0.1:20880', '10.0.0.2:20880']);
  at.server.tree.put(`/dubbo/${greeter}/providers/${encodeURIComponent(url('10.0.0.3', '&weight=7'))}`);
  at.server.tree.delete(`/dubbo/${greeter}/providers/${encodeURIComponent(url('10.0.0.1'))}`);
  await at.net.pass(3000);
  t.deepEqual(follower.addresses, ['10.0.0.2:20880', '10.0.0.3:20880']);
  t.is(follower.get('10.0.0.3:20880')?.weight, 7);
  await registry.close();
});

for (const [stack, folder] of [
  ['Java', '/dubbo/metadata/greeters'],
  ['Go', '/dubbo/greeters'],
] as const) {
  test(`the application level: mapping, instances, metadata where ${stack} writes them`, async (t) => {
    const at = place();
    at.server.tree.put(`/dubbo/mapping/${greeter}`, 'others,greeters');
    at.server.tree.put('/services/greeters/10.0.0.1:20880', instance('10.0.0.1', 'r1'));
    at.server.tree.put(`${folder}/r1`, metadata('r1'));
    const registry = at.open({});
    const follower = new Follower();
    registry.subscribe(greeter, follower.listen);
    await at.net.pass(3000);
    t.deepEqual(follower.addresses, ['10.0.0.1:20880']);
    at.server.tree.put('/services/greeters/10.0.0.2:20880', instance('10.0.0.2', 'r1'));
    await at.net.pass(2000);
    t.deepEqual(follower.addresses, ['10.0.0.1:20880', '10.0.0.2:20880']);
    await registry.close();
  });
}

test('metadata that is not there yet keeps what serves, and is asked for again', async (t) => {
  const at = place();
  at.server.tree.put(`/dubbo/mapping/${greeter}`, 'greeters');
  at.server.tree.put('/services/greeters/10.0.0.1:20880', instance('10.0.0.1', 'r1'));
  at.server.tree.put('/dubbo/metadata/greeters/r1', metadata('r1'));
  const registry = at.open({});
  const follower = new Follower();
  registry.subscribe(greeter, follower.listen);
  await at.net.pass(3000);
  at.server.tree.put('/services/greeters/10.0.0.1:20880', instance('10.0.0.1', 'r2'));
  await at.net.pass(5000);
  t.deepEqual(follower.addresses, ['10.0.0.1:20880']);
  t.not(registry.health().status, 'ok');
  at.server.tree.put('/dubbo/metadata/greeters/r2', metadata('r2'));
  await at.net.pass(60_000);
  t.is(registry.health().status, 'ok', registry.health().reason);
  await registry.close();
});

test('two nodes for one address, as Spring Cloud leaves them: the address goes with the last', async (t) => {
  const at = place();
  at.server.tree.put('/services/greeters/3f1c', instance('10.0.0.1', ''));
  at.server.tree.put('/services/greeters/9d2a', instance('10.0.0.1', ''));
  at.server.tree.put('/services/greeters/77aa', instance('10.0.0.2', ''));
  const registry = at.open({});
  const follower = new Follower();
  registry.subscribe('application:greeters', follower.listen);
  await at.net.pass(3000);
  at.server.tree.delete('/services/greeters/3f1c');
  await at.net.pass(2000);
  t.deepEqual(follower.addresses, ['10.0.0.1:20880', '10.0.0.2:20880']);
  at.server.tree.delete('/services/greeters/9d2a');
  await at.net.pass(2000);
  t.deepEqual(follower.addresses, ['10.0.0.2:20880']);
  await registry.close();
});

test('published at both levels where Dubbo looks, withdrawn, and put back after an expiry', async (t) => {
  const at = place();
  const { tree } = at.server;
  tree.put(`/dubbo/mapping/${greeter}`, 'others');
  const registry = at.open({ application: 'mine' });
  const published = registry.publish?.({ service: greeter, endpoint: endpoint('10.0.0.9:20880') });
  await at.net.pass(3000);
  await published?.ready;
  const providers = (): string[] => tree.childrenOf(`/dubbo/${greeter}/providers`).map(decodeURIComponent);
  t.regex(providers()[0] ?? '', /^dubbo:\/\/10\.0\.0\.9:20880\/com\.example\.Greeter\?.*application=mine/);
  t.is(tree.text(`/dubbo/mapping/${greeter}`), 'others,mine');
  const { payload } = JSON.parse(tree.text('/services/mine/10.0.0.9:20880') ?? '{}');
  const revision = payload.metadata['dubbo.metadata.revision'];
  const info = JSON.parse(tree.text(`/dubbo/metadata/mine/${revision}`) ?? '{}');
  t.is(info.services[`${greeter}:dubbo`].name, greeter);
  t.is(tree.text(`/dubbo/mine/${revision}`), tree.text(`/dubbo/metadata/mine/${revision}`));
  const owner = tree.nodes.get('/services/mine/10.0.0.9:20880')?.owner ?? 0n;
  at.server.end(owner);
  at.server.breakConnections();
  t.deepEqual(providers(), []);
  await at.net.pass(10_000);
  t.is(providers().length, 1);
  t.not(tree.text('/services/mine/10.0.0.9:20880'), null);
  await Promise.all([published?.withdraw(), at.net.pass(3000)]);
  t.deepEqual(providers(), []);
  t.is(tree.text('/services/mine/10.0.0.9:20880'), null);
  await registry.close();
});

test('SOFARPC: its folder, its URLs, both ways', async (t) => {
  const at = place();
  const folder = `/sofa-rpc/${greeter}/providers`;
  at.server.tree.put(
    `${folder}/${encodeURIComponent('bolt://10.0.0.1:12200?version=1.0&uniqueId=&weight=50')}`,
  );
  const registry = at.open({ dialect: 'sofa' });
  const follower = new Follower();
  registry.subscribe(`${greeter}:1.0`, follower.listen);
  await at.net.pass(3000);
  t.is(follower.get('10.0.0.1:12200')?.weight, 50);
  registry.publish?.({ service: `${greeter}:1.0`, endpoint: endpoint('10.0.0.9:12200') });
  await at.net.pass(3000);
  t.deepEqual(follower.addresses, ['10.0.0.1:12200', '10.0.0.9:12200']);
  await registry.close();
  t.is(at.server.tree.childrenOf(folder).length, 1);
});

test('a migration rule in the configuration centre is followed', async (t) => {
  const at = place();
  putInterface(at, ['10.0.0.1']);
  at.server.tree.put(`/dubbo/mapping/${greeter}`, 'greeters');
  at.server.tree.put('/services/greeters/10.0.0.2:20880', instance('10.0.0.2', 'r1'));
  at.server.tree.put('/dubbo/metadata/greeters/r1', metadata('r1'));
  const rule = '/dubbo/config/DUBBO_SERVICEDISCOVERY_MIGRATION/me.migration';
  at.server.tree.put(rule, 'key: me\nstep: FORCE_INTERFACE\n');
  const registry = at.open({ application: 'me' });
  const follower = new Follower();
  registry.subscribe(greeter, follower.listen);
  await at.net.pass(5000);
  t.deepEqual(follower.addresses, ['10.0.0.1:20880']);
  at.server.tree.put(rule, 'key: me\nstep: FORCE_APPLICATION\n');
  await at.net.pass(5000);
  t.deepEqual(follower.addresses, ['10.0.0.2:20880']);
  await registry.close();
});

test('20 services of one application take one watch of it and one of the mapping, and leave none', async (t) => {
  const at = place();
  const names = Array.from({ length: 20 }, (_, i) => `${greeter}${i}`);
  for (const name of names) at.server.tree.put(`/dubbo/mapping/${name}`, 'greeters');
  const services = Object.fromEntries(names.map((name) => [`${name}:dubbo`, { name, protocol: 'dubbo' }]));
  at.server.tree.put(
    '/dubbo/metadata/greeters/r1',
    JSON.stringify({ app: 'greeters', revision: 'r1', services }),
  );
  at.server.tree.put('/services/greeters/10.0.0.1:20880', instance('10.0.0.1', 'r1'));
  const registry = at.open({ migration: { step: 'FORCE_APPLICATION' } });
  const followers = names.map((name) => {
    const follower = new Follower();
    return { follower, stop: registry.subscribe(name, follower.listen) };
  });
  await at.net.pass(3000);
  t.true(followers.every(({ follower }) => follower.addresses.length === 1));
  const [connection] = at.server.connections;
  t.deepEqual([...(connection?.recursive ?? [])].toSorted(), ['/dubbo/mapping', '/services/greeters']);
  at.server.tree.put(`/dubbo/mapping/${names[3]}`, 'greeters,others');
  at.server.tree.put('/services/others/10.0.0.7:20880', instance('10.0.0.7', 'r1'));
  at.server.tree.put(
    '/dubbo/metadata/others/r1',
    JSON.stringify({ app: 'others', revision: 'r1', services }),
  );
  await at.net.pass(3000);
  t.deepEqual(followers[3]?.follower.addresses, ['10.0.0.1:20880', '10.0.0.7:20880']);
  t.deepEqual(followers[4]?.follower.addresses, ['10.0.0.1:20880']);
  for (const { stop } of followers) stop();
  await at.net.pass(1000);
  t.is(connection?.recursive.size, 0);
  await registry.close();
});
