import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { pathShape } from '../../src/diagnostics/hooks/call-kinds.ts';
import { InFlight } from '../../src/diagnostics/hooks/in-flight.ts';

test.serial('names of paths keep no ids and no query', (t) => {
  t.is(pathShape('/orders/42/lines/a7f3?token=secret'), '/orders/:n/lines/:n');
  t.is(pathShape('/health'), '/health');
});

const names = (calls: InFlight): string[] =>
  calls
    .groups()
    .map(({ direction, target, count }) => `${direction} ${target} ${count}`)
    .toSorted();

async function ended(call: http.ClientRequest): Promise<void> {
  const [message] = (await once(call, 'response')) as [http.IncomingMessage];
  message.resume();
  await once(message, 'end');
}

const key = Buffer.from('2f6d', 'hex');
/** TLS with a shared key: no certificate to make. */
const shared = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const;

for (const { protocol, server, get } of [
  { protocol: 'HTTP', server: () => http.createServer(), get: http.get },
  {
    protocol: 'HTTPS',
    server: () => https.createServer({ ...shared, pskCallback: () => key }),
    get: https.get,
  },
])
  test.serial(
    `${protocol}: a request counts until its answer begins, a call until its answer ended`,
    async (t) => {
      const calls = new InFlight();
      const held: http.ServerResponse[] = [];
      const listening = server().on('request', (_request, response) => held.push(response));
      await once(listening.listen(0, '127.0.0.1'), 'listening');
      const { port } = listening.address() as AddressInfo;
      const pskCallback = () => ({ identity: 'test', psk: key });
      const tls = { ...shared, pskCallback, checkServerIdentity: () => undefined };
      const options = { ...tls, port, host: '127.0.0.1', agent: false } as const;
      const gets = [1, 2].map((id) => get({ ...options, path: `/orders/${id}` }));
      while (held.length < 2) await once(listening, 'request');
      t.deepEqual(names(calls), [`client GET 127.0.0.1:${port} /orders/:n 2`, 'server GET /orders/:n 2']);
      t.is(calls.count('server').count, 2);
      const { oldestStartMs } = calls.count('server');
      calls.look();
      t.is(calls.count('server').oldestStartMs, oldestStartMs, 'the age counts from the first look');
      const ends = gets.map(ended);
      for (const response of held) response.end('x');
      await Promise.all(ends);
      t.deepEqual(names(calls), []);
      t.is(calls.count('client').oldestStartMs, 0);
      calls.stop();
      listening.close();
    },
  );

test.serial('calls that wait for a socket of their agent count too', async (t) => {
  const calls = new InFlight();
  const held: http.ServerResponse[] = [];
  const server = http.createServer((_request, response) => held.push(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const agent = new http.Agent({ maxSockets: 1, keepAlive: true });
  const gets = [1, 2, 3].map((id) => http.get({ port, host: '127.0.0.1', path: `/a/${id}`, agent }));
  while (held.length < 1) await once(server, 'request');
  t.deepEqual(names(calls), [`client GET 127.0.0.1:${port} /a/:n 3`, 'server GET /a/:n 1']);
  calls.stop();
  for (const get of gets) get.on('error', () => {}).destroy();
  agent.destroy();
  server.close();
  server.closeAllConnections();
  if (held[0]?.destroyed === false) await once(held[0], 'close');
});

test.serial('a call of undici counts until it has completed', (t) => {
  const calls = new InFlight();
  const request = { method: 'GET', origin: 'http://api', path: '/stock/7?key=secret', completed: false };
  channel('undici:request:create').publish({ request });
  t.deepEqual(names(calls), ['client GET http://api /stock/:n 1']);
  request.completed = true;
  calls.beat();
  t.deepEqual(names(calls), []);
  calls.stop();
});
