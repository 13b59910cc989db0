import test from 'ava';
import fc from 'fast-check';
import {
  JuteReader,
  JuteWriter,
  MalformedRecord,
} from '../../../../src/transport/registries/zookeeper/wire/jute.ts';
import { isZkError, ZkCode } from '../../../../src/transport/registries/zookeeper/wire/protocol.ts';
import type { FakeConnection } from './fake-server.ts';
import { opened, openSession } from './support.ts';

const connectionOf = (server: { connections: Set<FakeConnection> }): FakeConnection =>
  [...server.connections][0] as FakeConnection;
const header = (xid: number, code = 0): JuteWriter => new JuteWriter().int(xid).long(5n).int(code);

const cases: [string, (connection: FakeConnection) => void, RegExp][] = [
  [
    'a length over the limit',
    ({ wire }) => wire.write(Buffer.from([0x7f, 0xff, 0xff, 0xff, 1, 2]), 0, 6),
    /a frame of 2147483647 bytes, the limit is 1048576/,
  ],
  [
    'a negative length',
    ({ wire }) => wire.write(Buffer.from([0xff, 0xff, 0xff, 0xf0]), 0, 4),
    /a frame of -16 bytes/,
  ],
  [
    'a frame that is too short',
    (c) => c.raw(Buffer.from([0, 1])),
    /malformed answer: 4 bytes announced where 2 are left/,
  ],
  ['an answer to nothing', (c) => c.raw(header(77).bytes()), /answer to request 77 where none is due/],
  [
    'an event with a string that lies about its length',
    (c) => c.raw(header(-1).int(1).int(3).int(1_000_000).bytes()),
    /malformed answer: 1000000 bytes announced/,
  ],
];
for (const [what, send, reason] of cases) {
  test(`${what} closes the connection with its reason, and another one follows`, async (t) => {
    const { net, server, session, story } = await opened();
    send(connectionOf(server));
    await net.settle();
    t.regex(story[1] ?? '', reason);
    await net.pass(1000);
    t.is(session.state, 'connected');
    t.is(story.at(-1), 'again');
  });
}

test('answers out of order close the connection; what was asked fails', async (t) => {
  const { net, server, client, story } = await opened();
  server.isSilent = true;
  const readings = Promise.allSettled([client.read('/'), client.read('/')]);
  await net.settle();
  server.isSilent = false;
  connectionOf(server).raw(header(2, ZkCode.noNode).bytes());
  await net.settle();
  for (const each of await readings) {
    t.true(each.status === 'rejected' && isZkError(each.reason, ZkCode.connectionLoss));
  }
  t.regex(story[1] ?? '', /answer to request 2 where 1 is due/);
});

test('a list that announces more names than its frame can hold is refused', async (t) => {
  const { net, server, client, story } = await opened();
  server.isSilent = true;
  client.children('/', false, () => {});
  await net.settle();
  server.isSilent = false;
  connectionOf(server).raw(header(1).int(500_000_000).int(1).bytes());
  await net.settle();
  t.regex(story[1] ?? '', /500000000 strings announced/);
});

test('a list over one megabyte arrives whole where the limit allows it', async (t) => {
  const { net, server, client } = await opened({}, { maxFrameBytes: 8 * 1024 * 1024 }, '', { split: 65_536 });
  const name = 'x'.repeat(300);
  for (let i = 0; i < 5000; i++) server.tree.put(`/${name}${i}`);
  let count = 0;
  client.children('/', false, (_error, names) => {
    count = names?.length ?? 0;
  });
  await net.settle();
  t.is(count, 5000);
});

test('whatever a frame holds, reading it ends in a value or in MalformedRecord', (t) => {
  const readers = ['int', 'long', 'bool', 'buffer', 'string', 'strings'] as const;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.array(fc.constantFrom(...readers)), (bytes, kinds) => {
      const reader = new JuteReader(Buffer.from(bytes));
      try {
        for (const kind of kinds) reader[kind]();
      } catch (thrown) {
        if (!(thrown instanceof MalformedRecord)) throw thrown;
      }
    }),
  );
  t.pass();
});

test('what was written is read again', (t) => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
      fc.array(fc.string()),
      (text, big, list) => {
        const bytes = new JuteWriter().string(text).long(big).strings(list).buffer(null).bool(true).bytes();
        const reader = new JuteReader(bytes);
        return (
          reader.string() === text.toWellFormed() &&
          reader.long() === big &&
          reader.strings().every((each, i) => each === list[i]) &&
          reader.buffer() === null &&
          reader.bool() &&
          reader.remaining === 0
        );
      },
    ),
  );
  t.pass();
});

for (const garbage of ['HTTP/1.1 400 Bad Request\r\n\r\n', '\0\0\0\0', '\0\0\0\x08abcdefgh']) {
  test(`a server that answers ${JSON.stringify(garbage)} is no server, and is asked ever more seldom`, async (t) => {
    const { net, server, session } = await opened();
    session.letGo();
    await net.settle();
    const connections: unknown[] = [];
    server.accept = (wire) => {
      connections.push(wire);
      wire.attach({
        onBytes: () => void wire.write(Buffer.from(garbage), 0, garbage.length),
        onDrain() {},
        onEnd() {},
        onClose() {},
      });
    };
    const next = openSession(net);
    await net.pass(60_000);
    t.is(next.session.state, 'connecting');
    t.true(connections.length >= 5 && connections.length < 30, `${connections.length} tries`);
  });
}
