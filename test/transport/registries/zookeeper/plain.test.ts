import test from 'ava';
import { endpoint, registryContractSuite } from '../../../../src/testing/suites/registry-contract-suite.ts';
import { Follower } from '../../../core/discovery/support.ts';
import { place } from './registry-support.ts';

for (const knowsAddWatch of [true, false]) {
  const name = `zookeeper, plain, ${knowsAddWatch ? 'recursive' : 'one-shot'} watches`;
  registryContractSuite(test, name, () => {
    const { net, server, open } = place({ knowsAddWatch });
    return {
      registry: open({ dialect: 'plain' }),
      publish: (service, endpoints) => {
        const folder = `/heddle/${service}`;
        const wanted = new Set(endpoints.map((each) => each.address));
        for (const each of endpoints) server.tree.put(`${folder}/${each.address}`, JSON.stringify(each));
        for (const child of server.tree.childrenOf(folder)) {
          if (!wanted.has(child)) server.tree.delete(`${folder}/${child}`);
        }
      },
      settle: () => net.pass(2500),
      close: () => {},
    };
  });
}

test('what is published is an ephemeral node, is found by others, and goes with its withdrawal', async (t) => {
  const { net, server, open } = place();
  const [mine, theirs] = [open({ dialect: 'plain' }), open({ dialect: 'plain' })];
  const follower = new Follower();
  theirs.subscribe('users', follower.listen);
  await net.pass(1000);
  const published = mine.publish?.({ service: 'users', endpoint: endpoint('10.0.0.1:80', { zone: 'east' }) });
  mine.publish?.({ service: 'users', endpoint: endpoint('10.0.0.2:80') });
  await net.pass(2000);
  await published?.ready;
  t.deepEqual(follower.addresses, ['10.0.0.1:80', '10.0.0.2:80']);
  t.is(follower.get('10.0.0.1:80')?.zone, 'east');
  t.not(server.tree.nodes.get('/heddle/users/10.0.0.1:80')?.owner, 0n);
  await Promise.all([published?.withdraw(), net.pass(2000)]);
  t.deepEqual(follower.addresses, ['10.0.0.2:80']);
  await mine.close();
  t.deepEqual(server.tree.childrenOf('/heddle/users'), []);
  await net.pass(2000);
  // The last one left, or its session was lost: nobody can tell, so the list stays.
  t.deepEqual(follower.addresses, ['10.0.0.2:80']);
  t.regex(theirs.health().reason, /empty/);
  await theirs.close();
});

test('an expired session: what was published is put back', async (t) => {
  const { net, server, open } = place();
  const registry = open({ dialect: 'plain' });
  registry.publish?.({ service: 'users', endpoint: endpoint('10.0.0.1:80') });
  await net.pass(1000);
  const owner = server.tree.nodes.get('/heddle/users/10.0.0.1:80')?.owner ?? 0n;
  server.end(owner);
  t.is(server.tree.text('/heddle/users/10.0.0.1:80'), null);
  server.breakConnections();
  await net.pass(3000);
  const now = server.tree.nodes.get('/heddle/users/10.0.0.1:80')?.owner ?? 0n;
  t.true(now !== 0n && now !== owner);
  await registry.close();
});

test('a node that an earlier process left behind is replaced', async (t) => {
  const { net, server, open } = place();
  server.tree.put('/heddle/users');
  server.tree.create('/heddle/users/10.0.0.1:80', Buffer.from('{}'), 99n);
  const registry = open({ dialect: 'plain' });
  registry.publish?.({ service: 'users', endpoint: endpoint('10.0.0.1:80') });
  await net.pass(1000);
  server.tree.endSession(99n);
  t.regex(server.tree.text('/heddle/users/10.0.0.1:80') ?? '', /10\.0\.0\.1:80/);
  await registry.close();
});

test('what is withdrawn while there is no connection is removed after it', async (t) => {
  const { net, server, open } = place();
  const registry = open({ dialect: 'plain' });
  const kept = registry.publish?.({ service: 'users', endpoint: endpoint('10.0.0.2:80') });
  const published = registry.publish?.({ service: 'users', endpoint: endpoint('10.0.0.1:80') });
  await net.pass(1000);
  net.servers.clear();
  server.breakConnections();
  await net.settle();
  await published?.withdraw();
  net.servers.set('zk1:2181', server);
  await net.pass(3000);
  t.deepEqual(server.tree.childrenOf('/heddle/users'), ['10.0.0.2:80']);
  t.truthy(kept);
  await registry.close();
});

test('what is published before there is a connection is there with the first; what is withdrawn before, is not', async (t) => {
  const { net, server, open } = place();
  net.servers.clear();
  const registry = open({ dialect: 'plain' });
  const first = registry.publish?.({ service: 'users', endpoint: endpoint('10.0.0.1:80') });
  const second = registry.publish?.({ service: 'users', endpoint: endpoint('10.0.0.2:80') });
  await net.pass(1000);
  await second?.withdraw();
  net.servers.set('zk1:2181', server);
  await net.pass(3000);
  await first?.ready;
  t.deepEqual(server.tree.childrenOf('/heddle/users'), ['10.0.0.1:80']);
  await t.throwsAsync(second?.ready ?? Promise.resolve(), { message: /ERR_REGISTRY_CLOSED/ });
  await registry.close();
});

test('the servers go: the list serves on, health says why, and what changed meanwhile is seen', async (t) => {
  const { net, server, open } = place();
  server.tree.put('/heddle/users/10.0.0.1:80', JSON.stringify(endpoint('10.0.0.1:80')));
  const registry = open({ dialect: 'plain' });
  const follower = new Follower();
  registry.subscribe('users', follower.listen);
  await net.pass(1000);
  t.is(registry.health().status, 'ok');
  net.servers.clear();
  server.breakConnections();
  await net.pass(60_000);
  t.is(registry.health().status, 'degraded');
  t.regex(registry.health().reason, /zk1:2181/);
  t.deepEqual(follower.addresses, ['10.0.0.1:80']);
  server.tree.put('/heddle/users/10.0.0.2:80', JSON.stringify(endpoint('10.0.0.2:80')));
  net.servers.set('zk1:2181', server);
  await net.pass(15_000);
  t.is(registry.health().status, 'ok');
  t.deepEqual(follower.addresses, ['10.0.0.1:80', '10.0.0.2:80']);
  await registry.close();
});

test('entries that are none, and names that cannot be folders', async (t) => {
  const { net, server, open } = place();
  server.tree.put('/heddle/users/x', 'no json');
  server.tree.put('/heddle/users/y', '{"address":"nowhere"}');
  server.tree.put('/heddle/users/z', JSON.stringify(endpoint('10.0.0.1:80')));
  const registry = open({ dialect: 'plain' });
  const follower = new Follower();
  registry.subscribe('users', follower.listen);
  await net.pass(1000);
  t.deepEqual(follower.addresses, ['10.0.0.1:80']);
  t.throws(() => registry.subscribe('.', () => {}), { message: /ERR_OPTION_INVALID/ });
  registry.publish?.({ service: 'group/a.B:1.0', endpoint: endpoint('unix:/run/b.sock') });
  await net.pass(1000);
  t.deepEqual(server.tree.childrenOf('/heddle/group%2Fa.B:1.0'), ['unix:%2Frun%2Fb.sock']);
  t.throws(() => registry.publish?.({ service: '..', endpoint: endpoint('10.0.0.1:80') }), {
    message: /ERR_REGISTRY_PUBLISH/,
  });
  await registry.close();
});
