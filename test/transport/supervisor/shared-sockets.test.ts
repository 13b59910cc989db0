import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import test from 'ava';
import { silentLogger } from '../../../src/core/observe/logger.ts';
import type { PassedConnections } from '../../../src/transport/supervisor/passed-connections.ts';
import { SharedSockets, type WantedPlace } from '../../../src/transport/supervisor/shared-sockets.ts';

const wanted = (name: string, address = '127.0.0.1:0'): WantedPlace => ({
  name,
  address,
  backlog: 16,
  isDatagram: false,
});

async function outcome(address: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port: Number(address.split(':')[1]) });
  try {
    await once(socket, 'connect');
    return 'open';
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    socket.destroy();
  }
}

test('places keep their sockets over a change, also under another name; what is new opens and what is gone closes', async (t) => {
  const sockets = new SharedSockets(silentLogger);
  t.teardown(() => sockets.close());
  (await sockets.prepare([wanted('a'), wanted('b')])).commit();
  const [a, b] = sockets.places;
  const bound = a?.boundTo ?? '';
  const next = await sockets.prepare([wanted('a'), wanted('c', b?.boundTo), wanted('d')]);
  t.deepEqual(sockets.places, [a, b], 'nothing has changed yet');
  t.is(await outcome(next.places[2]?.boundTo ?? ''), 'open', 'it waits for the commit, nobody is refused');
  next.commit();
  t.deepEqual(
    sockets.places.map(({ id, name }) => [id, name]),
    [
      [a?.id, 'a'],
      [b?.id, 'c'],
      [next.places[2]?.id, 'd'],
    ],
  );
  (await sockets.prepare([wanted('d')])).commit();
  t.is(await outcome(bound), 'ECONNREFUSED');
});

test('an address that is taken is refused, and what was bound for the change is closed again', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as { port: number };
  const sockets = new SharedSockets(silentLogger);
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const free = `127.0.0.1:${(probe.address() as { port: number }).port}`;
  probe.close();
  await once(probe, 'close');
  await t.throwsAsync(sockets.prepare([wanted('first', free), wanted('second', `127.0.0.1:${port}`)]), {
    code: 'ERR_LISTENER_ADDRESS',
  });
  t.deepEqual(sockets.places, []);
  t.is(await outcome(free), 'ECONNREFUSED');
});

test('connections wait while no worker takes them, up to a bound, and go to the first that does', async (t) => {
  const sockets = new SharedSockets(silentLogger);
  t.teardown(() => sockets.close());
  (await sockets.prepare([wanted('a')])).commit();
  const [place] = sockets.places;
  const clients = Array.from({ length: 3 }, () => connect({ port: Number(place?.boundTo.split(':')[1]) }));
  t.teardown(() => {
    for (const each of clients) each.destroy();
  });
  for (let i = 0; sockets.waiting < 3 && i < 500; i++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  t.is(sockets.waiting, 3);
  const got: unknown[] = [];
  const worker = { isReady: true, connectionsOf: () => got.length, pass: (id: number) => void got.push(id) };
  sockets.workers.add(worker as unknown as PassedConnections);
  sockets.retry();
  t.deepEqual(got, [place?.id, place?.id, place?.id]);
  t.is(sockets.waiting, 0);
});
