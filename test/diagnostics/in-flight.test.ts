import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { InFlight, pathShape } from '../../src/diagnostics/hooks/in-flight.ts';

test('names of paths keep no ids and no query', (t) => {
  t.is(pathShape('/orders/42/lines/a7f3?token=secret'), '/orders/:n/lines/:n');
  t.is(pathShape('/health'), '/health');
});

test('a request counts until its answer begins, a call until its answer ended', async (t) => {
  const calls = new InFlight();
  const held: http.ServerResponse[] = [];
  const server = http.createServer((_request, response) => held.push(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const answers = [1, 2].map((id) =>
    once(http.get({ port, host: '127.0.0.1', path: `/orders/${id}`, agent: false }), 'response'),
  );
  while (held.length < 2) await once(server, 'request');
  t.is(calls.scan('server').count, 2);
  t.is(calls.scan('client').count, 2);
  t.true(calls.scan('server').oldestStartMs > 0);
  const names = calls.groups().map(({ direction, target, count }) => `${direction} ${target} ${count}`);
  t.deepEqual(names.toSorted(), ['client GET 127.0.0.1 /orders/:n 2', 'server GET /orders/:n 2']);
  for (const response of held) response.end('x');
  for (const answer of answers) {
    const [message] = (await answer) as [http.IncomingMessage];
    message.resume();
    await once(message, 'end');
  }
  t.is(calls.scan('server').count, 0);
  t.is(calls.scan('client').count, 0);
  t.is(calls.finished('server'), 2);
  calls.stop();
  server.close();
});
