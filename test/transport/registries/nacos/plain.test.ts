import test from 'ava';
import { endpoint, registryContractSuite } from '../../../../src/testing/suites/registry-contract-suite.ts';
import { Follower } from '../../../core/discovery/support.ts';
import { eventually, within } from '../../../mesh/support.ts';
import { place, quiet } from './support.ts';

const users = 'DEFAULT_GROUP@@users';

registryContractSuite(
  test,
  'nacos, plain',
  async () => {
    const closers: (() => unknown)[] = [];
    const { server, open } = await place({ teardown: (run) => closers.push(run) });
    const registry = open();
    let isOpen = true;
    const close = registry.close.bind(registry);
    registry.close = () => {
      isOpen = false;
      return close();
    };
    return {
      registry,
      publish: (service, endpoints) =>
        server.setHosts(
          `DEFAULT_GROUP@@${service}`,
          endpoints.map(({ address, weight, zone, metadata }) => {
            const [ip = '', port = ''] = address.split(':');
            return {
              ip,
              port: Number(port),
              weight,
              metadata: { ...metadata, ...(zone !== '' && { zone }) },
            };
          }),
        ),
      settle: () => quiet(server, () => isOpen),
      outage: { begin: () => server.stop(), end: async () => void (await server.start(server.grpcPort)) },
      garble: (service) => {
        const key = `DEFAULT_GROUP@@${service}`;
        server.setHosts(key, [...server.hosts(key), { ip: 'no host', port: 80 }]);
      },
      duplicate: (service, endpoints) => {
        const hosts = endpoints.map(({ address }) => {
          const [ip = '', port = ''] = address.split(':');
          return { ip, port: Number(port) };
        });
        server.setHosts(`DEFAULT_GROUP@@${service}`, [
          ...hosts,
          { ...(hosts[0] as (typeof hosts)[0]), weight: 9 },
        ]);
      },
      isListed: (service, address) =>
        server.hosts(`DEFAULT_GROUP@@${service}`).some(({ ip, port }) => `${ip}:${port}` === address),
      open: () => server.connections.size,
      close: async () => {
        for (const close of closers.reverse()) await close();
      },
    };
  },
  ['outage', 'garble', 'duplicate', 'isListed', 'open', 'publish'],
);

test('instances that are unhealthy, switched off or of another cluster get no call', async (t) => {
  const { server, open } = await place(t);
  const follower = new Follower();
  server.fixed.set(users, [
    { ip: '10.0.0.1', port: 80 },
    { ip: '10.0.0.2', port: 80, healthy: false },
    { ip: '10.0.0.3', port: 80, enabled: false },
    { ip: '10.0.0.4', port: 80, clusterName: 'hz' },
  ]);
  const registry = open({ clusters: ['DEFAULT'] });
  registry.subscribe('users', follower.listen);
  await eventually(() => follower.deltas.length > 0, 'a list');
  t.deepEqual(follower.addresses, ['10.0.0.1:80']);
});

test('weights that are fractions keep their proportions', async (t) => {
  const { server, open } = await place(t);
  const follower = new Follower();
  server.fixed.set(users, [
    { ip: '10.0.0.1', port: 80, weight: 0.5 },
    { ip: '10.0.0.2', port: 80, weight: 1 },
    { ip: '10.0.0.3', port: 80, weight: 0 },
  ]);
  open().subscribe('users', follower.listen);
  await eventually(() => follower.deltas.length > 0, 'a list');
  t.deepEqual(
    follower.addresses.map((address) => follower.get(address)?.weight),
    [50, 100, 0],
  );
});

test('several addresses of one service are one batch, and the last one is deregistered', async (t) => {
  const { server, open } = await place(t);
  const registry = open();
  const one = registry.publish?.({ service: 'users', endpoint: endpoint('10.0.0.1:80', { zone: 'east' }) });
  const two = registry.publish?.({ service: 'users', endpoint: endpoint('10.0.0.2:80'), protocol: 'h2' });
  await within(Promise.all([one?.ready, two?.ready]), 'both are there');
  t.deepEqual(
    server.hosts(users).map(({ ip, metadata }) => [ip, metadata]),
    [
      ['10.0.0.1', { zone: 'east' }],
      ['10.0.0.2', { protocol: 'h2' }],
    ],
  );
  await one?.withdraw();
  t.deepEqual(
    server.hosts(users).map(({ ip }) => ip),
    ['10.0.0.2'],
  );
  await two?.withdraw();
  t.deepEqual(server.hosts(users), []);
  t.is(server.requests.filter((type) => type === 'BatchInstanceRequest').length, 1);
});

test('a group may stand before the name; names that cannot be are refused', async (t) => {
  const { server, open } = await place(t);
  const follower = new Follower();
  server.fixed.set('shop@@users', [{ ip: '10.0.0.1', port: 80 }]);
  const registry = open();
  registry.subscribe('shop@@users', follower.listen);
  await eventually(() => follower.addresses.length > 0, 'a list');
  t.throws(() => registry.subscribe('a b', () => {}), { code: 'ERR_OPTION_INVALID' });
  const publish = () => registry.publish?.({ service: 'users', endpoint: endpoint('unix:/a') });
  t.throws(publish, { code: 'ERR_REGISTRY_PUBLISH' });
});

test('a connection that breaks: everything is said again, and the list serves meanwhile', async (t) => {
  const { server, open } = await place(t);
  const follower = new Follower();
  server.fixed.set(users, [{ ip: '10.0.0.1', port: 80 }]);
  const registry = open();
  registry.subscribe('users', follower.listen);
  const published = registry.publish?.({ service: 'orders', endpoint: endpoint('10.0.0.9:80') });
  await within(Promise.resolve(published?.ready), 'published');
  await eventually(() => follower.addresses.length === 1, 'a list');
  server.dropConnections();
  await eventually(() => server.hosts('DEFAULT_GROUP@@orders').length === 0, 'its instances went with it');
  await eventually(() => server.hosts('DEFAULT_GROUP@@orders').length === 1, 'registered again');
  server.setHosts(users, [
    { ip: '10.0.0.1', port: 80 },
    { ip: '10.0.0.2', port: 80 },
  ]);
  await eventually(() => follower.addresses.length === 2, 'subscribed again');
  await eventually(() => registry.health().status === 'ok', 'well');
  t.deepEqual(follower.addresses, ['10.0.0.1:80', '10.0.0.2:80']);
});
