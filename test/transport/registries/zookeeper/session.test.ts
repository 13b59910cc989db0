import test from 'ava';
import {
  CreateMode,
  isZkError,
  ZkCode,
} from '../../../../src/transport/registries/zookeeper/wire/protocol.ts';
import { FakeZooKeeper } from './fake-server.ts';
import { FakeNet, opened, openSession } from './support.ts';

const open = [{ permissions: 31, scheme: 'world', id: 'anyone' }];

test('a session is opened, pings keep it, close ends it', async (t) => {
  const { net, server, session, story } = await opened();
  t.deepEqual(story, ['new']);
  await net.pass(120_000);
  t.is(server.sessions.size, 1);
  t.deepEqual(story, ['new']);
  const closing = session.close();
  await net.settle();
  await closing;
  t.is(server.sessions.size, 0);
  t.is(net.clock.pendingTimers, 0);
});

for (const split of [1, 2, 3, 5, 7]) {
  test(`answers in pieces of ${split} bytes are the same answers`, async (t) => {
    const { net, server, client } = await opened({}, {}, '', { split });
    server.tree.put('/a', 'one');
    const made = client.create('/a/b', Buffer.from('two'), CreateMode.ephemeral, open);
    const read = client.read('/a');
    await net.settle();
    await made;
    t.is((await read).data.toString(), 'one');
    t.is(server.tree.text('/a/b'), 'two');
  });
}

test('a lost connection is followed by another with the same session and its ephemeral nodes', async (t) => {
  const { net, server, client, story } = await opened();
  const made = client.create('/mine', Buffer.alloc(0), CreateMode.ephemeral, open);
  await net.settle();
  await made;
  server.breakConnections();
  await net.settle();
  t.is(story.length, 2);
  await net.pass(1000);
  t.is(story.at(-1), 'again');
  t.is(server.sessions.size, 1);
  t.not(server.tree.text('/mine'), null);
});

test('a request without a connection fails at once', async (t) => {
  const { net, server, client } = await opened();
  server.breakConnections();
  await net.settle();
  const error = await t.throwsAsync(client.read('/'));
  t.true(isZkError(error, ZkCode.connectionLoss));
});

test('what was asked when the connection broke has failed', async (t) => {
  const { net, server, client } = await opened();
  server.isSilent = true;
  const reading = client.read('/');
  await net.settle();
  server.breakConnections();
  await net.settle();
  t.true(isZkError(await t.throwsAsync(reading), ZkCode.connectionLoss));
});

test('an expired session is followed by a new one', async (t) => {
  const { net, server, session, story } = await opened();
  const before = session.token.id;
  server.end(before);
  server.breakConnections();
  await net.settle();
  await net.pass(2000);
  t.is(story.at(-1), 'new');
  t.not(session.token.id, before);
});

test('a silent server is left after two thirds of the timeout, and by our own clock the session expires', async (t) => {
  const { net, server, session, story } = await opened();
  server.isSilent = true;
  await net.pass(21_000);
  t.is(session.state, 'suspended');
  t.regex(story[1] ?? '', /zk1:2181: the server said nothing for 2\d{4} ms/);
  await net.pass(10_000);
  t.is(session.state, 'expired');
  t.true(story.some((each) => each.includes('it must have expired')));
  server.isSilent = false;
  await net.pass(15_000);
  t.is(session.state, 'connected');
  t.is(story.at(-1), 'new');
});

test('the ensemble: another server takes over when one is down, in an order of its own, with rests between rounds', async (t) => {
  const net = new FakeNet();
  const first = new FakeZooKeeper(net.clock);
  const second = new FakeZooKeeper(net.clock, {}, first);
  const servers = ['zk1:2181', 'zk2:2181', 'zk3:2181'];
  net.servers.set('zk1:2181', first).set('zk2:2181', second);
  const { session, story } = openSession(net, { servers });
  await net.pass(500);
  t.is(session.state, 'connected');
  const serving = first.connections.size > 0 ? first : second;
  net.servers.delete(serving === first ? 'zk1:2181' : 'zk2:2181');
  serving.breakConnections();
  await net.pass(3000);
  t.is(story.at(-1), 'again');
  net.servers.clear();
  for (const server of [first, second]) server.breakConnections();
  const from = net.dialled.length;
  await net.pass(60_000);
  const tries = net.dialled.slice(from);
  t.true(tries.length >= 9 && tries.length <= 60, `${tries.length} tries in a minute`);
  t.deepEqual([...new Set(tries)].sort(), servers);
});

test('a session is handed over: another client goes on with it and its nodes stay', async (t) => {
  const { net, server, session, client } = await opened();
  const made = client.create('/mine', Buffer.alloc(0), CreateMode.ephemeral, open);
  await net.settle();
  await made;
  const token = session.letGo();
  await net.settle();
  t.not(server.tree.text('/mine'), null);
  const next = openSession(net, { resume: token });
  await net.settle();
  t.deepEqual(next.story, ['again']);
  t.is(next.session.token.id, token.id);
  await net.pass(60_000);
  t.not(server.tree.text('/mine'), null);
  // With a password that is not its own it would be another session.
  const stranger = openSession(net, { resume: { id: token.id, password: Buffer.alloc(16, 1) } });
  await net.pass(1000);
  t.is(stranger.story.at(-1), 'new');
});

test('servers that lost all history get a new session, in time', async (t) => {
  const { net, server, client, session, story } = await opened();
  for (let i = 0; i < 5; i++) server.tree.put(`/n${i}`);
  const reading = client.read('/');
  await net.settle();
  await reading;
  const empty = new FakeZooKeeper(net.clock);
  net.servers.set('zk1:2181', empty);
  server.breakConnections();
  await net.pass(25_000);
  t.is(empty.sessions.size, 0);
  await net.pass(30_000);
  t.is(session.state, 'connected');
  t.is(story.at(-1), 'new');
});

test('digest credentials are shown on every connection; refused ones are never gone around', async (t) => {
  const credentials = async () => [{ kind: 'digest' as const, user: 'mesh', password: 'secret' }];
  const { net, server, client, session } = await opened({ digest: 'mesh:secret' }, { credentials });
  t.is(session.state, 'connected');
  server.breakConnections();
  await net.pass(1000);
  const reading = client.read('/');
  await net.settle();
  await t.notThrowsAsync(reading);
  const wrong = openSession(net, {
    credentials: async () => [{ kind: 'digest', user: 'mesh', password: 'guess' }],
  });
  await net.pass(5000);
  t.not(wrong.session.state, 'connected');
  t.regex(wrong.story[0] ?? '', /refuses the credentials: authFailed/);
  t.false(wrong.story.join().includes('guess'));
});

test('a chroot is before every path, and is created with what is missing', async (t) => {
  const { net, server, client } = await opened({}, {}, '/mesh/a');
  const making = client
    .createParents('/x/y', open)
    .then(() => client.create('/x/y', Buffer.from('z'), CreateMode.persistent, open));
  await net.settle();
  await making;
  t.is(server.tree.text('/mesh/a/x/y'), 'z');
  const events: string[] = [];
  client.listen('/x', (event) => events.push(event.path));
  client.watchRecursively('/x', () => {});
  await net.settle();
  server.tree.put('/mesh/a/x/new');
  await net.settle();
  t.deepEqual(events, ['/x/new']);
});

test('a transaction is all or nothing, and says what failed', async (t) => {
  const { net, server, client } = await opened();
  server.tree.put('/a', '1');
  const fine = client.transact([
    { kind: 'check', path: '/a', version: 0 },
    { kind: 'set', path: '/a', data: Buffer.from('2'), version: 0 },
  ]);
  await net.settle();
  await fine;
  t.is(server.tree.text('/a'), '2');
  const failing = client.transact([{ kind: 'delete', path: '/none', version: -1 }]);
  await net.settle();
  t.true(isZkError(await t.throwsAsync(failing), ZkCode.noNode));
});
