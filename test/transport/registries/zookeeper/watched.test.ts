import test from 'ava';
import { WatchedDirectory } from '../../../../src/transport/registries/zookeeper/watched/directory.ts';
import { WatchedNode } from '../../../../src/transport/registries/zookeeper/watched/node.ts';
import { Op } from '../../../../src/transport/registries/zookeeper/wire/protocol.ts';
import { type Opened, opened } from './support.ts';

/** What a listener knows, and how it came to know it. */
class Mirror {
  readonly entries = new Map<string, string>();
  readonly troubles: string[] = [];
  lists = 0;
  changes = 0;
  readonly watched: WatchedDirectory;

  constructor({ client }: Opened, path: string, withData: boolean, maxDataBytes = 1024) {
    this.watched = new WatchedDirectory(
      client,
      path,
      { withData, maxDataBytes },
      {
        onList: (entries) => {
          this.lists++;
          this.entries.clear();
          for (const [name, data] of entries) this.entries.set(name, data.toString());
        },
        onChange: (name, data) => {
          this.changes++;
          if (data === null) this.entries.delete(name);
          else this.entries.set(name, data.toString());
        },
        onTrouble: (reason) => void this.troubles.push(reason),
      },
    );
    this.watched.start();
  }

  get text(): string {
    return [...this.entries]
      .map(([name, data]) => (data === '' ? name : `${name}=${data}`))
      .sort()
      .join(' ');
  }
}

for (const knowsAddWatch of [true, false]) {
  const kind = knowsAddWatch ? 'recursive watches' : 'one-shot watches (servers before 3.6)';
  const open = async (): Promise<Opened> => {
    const made = await opened({ knowsAddWatch });
    made.server.tree.put('/d/a', '1');
    made.server.tree.put('/d/b', '2');
    return made;
  };

  test(`${kind}: a directory is listed, and followed by events`, async (t) => {
    const made = await open();
    const mirror = new Mirror(made, '/d', false);
    await made.net.pass(1000);
    t.is(mirror.text, 'a b');
    const { tree } = made.server;
    tree.put('/d/c');
    await made.net.settle();
    tree.delete('/d/a');
    await made.net.settle();
    tree.put('/d/e/f');
    tree.put('/other');
    await made.net.settle();
    t.is(mirror.text, 'b c e');
    t.is(mirror.lists, 1);
    t.is(made.session.state, 'connected');
  });

  test(`${kind}: data of entries follow, too; too large ones are left out`, async (t) => {
    const made = await open();
    made.server.tree.put('/d/large', 'x'.repeat(2000));
    const mirror = new Mirror(made, '/d', true);
    await made.net.pass(1000);
    t.is(mirror.text, 'a=1 b=2');
    made.server.tree.put('/d/a', '3');
    made.server.tree.put('/d/c', '4');
    made.server.tree.delete('/d/b');
    await made.net.settle();
    made.server.tree.put('/d/a', '5');
    await made.net.settle();
    t.is(mirror.text, 'a=5 c=4');
    t.is(mirror.lists, 1);
  });

  test(`${kind}: a directory that is not there yet, comes, goes and comes again`, async (t) => {
    const made = await open();
    const mirror = new Mirror(made, '/later/on', true);
    await made.net.pass(1000);
    t.is(mirror.lists, 1);
    made.server.tree.put('/later/on/x', '1');
    await made.net.settle();
    t.is(mirror.text, 'x=1');
    made.server.tree.deleteAll('/later');
    await made.net.settle();
    t.is(mirror.text, '');
    made.server.tree.put('/later/on/y', '2');
    await made.net.settle();
    t.is(mirror.text, 'y=2');
  });

  test(`${kind}: what happened without a connection is seen after it`, async (t) => {
    const made = await open();
    const mirror = new Mirror(made, '/d', true);
    await made.net.pass(1000);
    made.server.breakConnections();
    await made.net.settle();
    t.true(mirror.troubles.length > 0);
    t.is(mirror.text, 'a=1 b=2');
    made.server.tree.delete('/d/a');
    made.server.tree.put('/d/b', '9');
    made.server.tree.put('/d/c', '3');
    await made.net.pass(1000);
    t.is(mirror.text, 'b=9 c=3');
    made.server.tree.put('/d/z', '1');
    await made.net.settle();
    t.is(mirror.text, 'b=9 c=3 z=1');
  });

  test(`${kind}: the same after the session expired`, async (t) => {
    const made = await open();
    const mirror = new Mirror(made, '/d', true);
    await made.net.pass(1000);
    made.server.end(made.session.token.id);
    made.server.breakConnections();
    made.server.tree.delete('/d/a');
    await made.net.pass(3000);
    made.server.tree.put('/d/z', '1');
    await made.net.settle();
    t.is(mirror.text, 'b=2 z=1');
  });

  test(`${kind}: one node, absent, there, changed, gone`, async (t) => {
    const made = await open();
    const seen: (string | null)[] = [];
    const node = new WatchedNode(made.client, '/n', {
      onData: (data) => void seen.push(data === null ? null : data.toString()),
      onTrouble: () => {},
    });
    node.start();
    await made.net.pass(1000);
    for (const text of ['1', '2']) {
      made.server.tree.put('/n', text);
      await made.net.settle();
    }
    made.server.tree.delete('/n');
    await made.net.settle();
    made.server.tree.put('/n', '3');
    await made.net.settle();
    const distinct = seen.filter((each, i) => each !== seen[i - 1]);
    t.deepEqual(distinct, [null, '1', '2', null, '3']);
    node.stop();
    made.server.tree.put('/n', '4');
    await made.net.settle();
    t.is(seen.at(-1), '3');
  });
}

test('a watch that nobody needs is taken back at the server', async (t) => {
  const made = await opened();
  const mirror = new Mirror(made, '/d', false);
  await made.net.settle();
  t.is([...made.server.connections][0]?.recursive.size, 1);
  mirror.watched.stop();
  await made.net.settle();
  t.is([...made.server.connections][0]?.recursive.size, 0);
});

test('an old server is asked once; after its answer one-shot watches are used and no event is lost', async (t) => {
  const made = await opened({ knowsAddWatch: false });
  const mirrors = ['/a', '/b', '/c'].map((path) => new Mirror(made, path, false));
  await made.net.pass(2000);
  for (const path of ['/a', '/b', '/c']) made.server.tree.put(`${path}/x`);
  await made.net.settle();
  t.deepEqual(
    mirrors.map((mirror) => mirror.text),
    ['x', 'x', 'x'],
  );
  made.server.breakConnections();
  await made.net.pass(2000);
  const tries = made.server.seen.filter((op) => op === Op.addWatch).length;
  t.true(tries <= 3);
});

test('thousands of entries with data are read in portions, and a connection that breaks in between is no harm', async (t) => {
  const made = await opened({}, { maxFrameBytes: 8 * 1024 * 1024 });
  for (let i = 0; i < 5000; i++) made.server.tree.put(`/d/n${i}`, String(i));
  const mirror = new Mirror(made, '/d', true);
  for (let i = 0; i < 10; i++) {
    await Promise.resolve();
    for (const link of made.net.links) link.turn();
  }
  t.is(mirror.lists, 0);
  t.true(made.server.seen.length > 256);
  made.server.breakConnections();
  await made.net.pass(2000);
  t.is(mirror.entries.size, 5000);
  t.is(mirror.lists, 1);
});

test('what may not be read is asked for again, ever more seldom, and says why', async (t) => {
  const made = await opened({ digest: 'a:b' });
  const mirror = new Mirror(made, '/d', false);
  await made.net.pass(60_000);
  t.true(mirror.troubles.every((each) => each.includes('noAuth')));
  t.true(mirror.troubles.length >= 4 && mirror.troubles.length < 40, String(mirror.troubles.length));
  t.is(mirror.lists, 0);
});
