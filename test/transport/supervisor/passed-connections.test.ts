import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { FakeClock } from '../../../src/testing/index.ts';
import type { ConnectionState, ProcessMessage } from '../../../src/transport/supervisor/messages.ts';
import { PassedConnections } from '../../../src/transport/supervisor/passed-connections.ts';
import type { ProcessLink } from '../../../src/transport/supervisor/process-link.ts';

const place = 7;

/** The supervisor's end with a worker that says what the test wants. */
function setUp() {
  const sent: ProcessMessage[] = [];
  const back: Socket[] = [];
  const clock = new FakeClock();
  const link = { onState: null, send: (message: ProcessMessage) => void sent.push(message) };
  const passed = new PassedConnections(
    link as unknown as ProcessLink,
    clock,
    (_place, socket) => void back.push(socket),
  );
  const say = (state: Partial<ConnectionState>): void => {
    const whole = { taken: 0, refused: [], live: [], accepting: [place], ...state };
    (link.onState as unknown as (state: ConnectionState) => void)(whole);
  };
  say({});
  return { passed, sent, back, clock, say };
}

/** Accepted connections that nobody has read. */
async function accepted(t: ExecutionContext, count: number): Promise<Socket[]> {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const client = connect(port, '127.0.0.1');
    const [socket] = (await once(server, 'connection')) as [Socket];
    sockets.push(socket);
    t.teardown(() => {
      client.destroy();
      socket.destroy();
    });
  }
  server.close();
  return sockets;
}

test('what a worker has taken is let go here; what it had not when it died goes back, unread', async (t) => {
  const { passed, back, say } = setUp();
  const sockets = await accepted(t, 4);
  for (const each of sockets) passed.pass(place, each);
  t.is(passed.connectionsOf(place), 4);
  say({ taken: 2, live: [[place, 2]] });
  t.deepEqual(
    sockets.map((each) => each.destroyed),
    [true, true, false, false],
  );
  t.is(passed.connectionsOf(place), 4, 'two open there, two under way');
  passed.end();
  t.deepEqual(back, sockets.slice(2));
  t.true(back.every((each) => !each.destroyed && each.bytesRead === 0));
});

test('what a worker refuses goes back, and it gets no more of that listener until it takes it again', async (t) => {
  const { passed, back, say } = setUp();
  const [first, second] = (await accepted(t, 2)) as [Socket, Socket];
  passed.pass(place, first);
  passed.pass(place, second);
  let again = 0;
  passed.onAccepting = () => again++;
  say({ taken: 2, refused: [2], live: [[place, 1]], accepting: [] });
  t.deepEqual(back, [second]);
  t.true(first.destroyed);
  t.is(passed.connectionsOf(place), null);
  say({ taken: 2, live: [[place, 1]] });
  t.is(again, 1);
  t.is(passed.connectionsOf(place), 1);
});

test('a worker that has not taken a connection for half a second comes last', async (t) => {
  const { passed, clock, say } = setUp();
  const [socket] = (await accepted(t, 1)) as [Socket];
  passed.pass(place, socket);
  clock.advance(400);
  t.is(passed.connectionsOf(place), 1);
  clock.advance(200);
  t.is(passed.connectionsOf(place), Number.MAX_SAFE_INTEGER);
  say({ taken: 1, live: [[place, 1]] });
  t.is(passed.connectionsOf(place), 1);
});

test('a connection that broke before it was passed on is not passed on', async (t) => {
  const { passed, sent } = setUp();
  const [socket] = (await accepted(t, 1)) as [Socket];
  socket.destroy();
  passed.pass(place, socket);
  t.deepEqual(sent, []);
  t.is(passed.connectionsOf(place), 0);
});
