import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { bytesMethod, grpcStatusOfError } from '../../../src/transport/grpc/index.ts';
import { within } from '../../mesh/support.ts';
import { openChannel, reply } from './support.ts';

const file = (name: string): string => fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url));
const echo = bytesMethod('test.Echo', 'Echo');

test('a channel over TLS verifies the server; one with another CA is refused', async (t) => {
  const server = createSecureServer({
    key: readFileSync(file('server.key')),
    cert: readFileSync(file('server.pem')),
    allowHTTP1: false,
  });
  server.on('stream', (stream, headers) => reply(stream, [String(headers[':scheme'])]));
  server.on('sessionError', () => {});
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const good = openChannel(t, { address, tls: { ca: file('ca-a.pem'), serverName: 'localhost' } });
  t.is(String(await within(good.unary(echo, Buffer.from('a')), 'over TLS')), 'https');
  const bad = openChannel(t, { address, tls: { ca: file('ca-b.pem'), serverName: 'localhost' } });
  const error = await t.throwsAsync(within(bad.unary(echo, Buffer.from('a')), 'another CA'));
  t.is(grpcStatusOfError(error), 14);
  t.regex(String(error?.message), /tls_certificate_untrusted/);
});

test('a server that never says anything is given up by deadline and for want of SETTINGS', async (t) => {
  const silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const channel = openChannel(t, { address, ackTimeoutMs: 100 });
  const late = await t.throwsAsync(
    within(channel.unary(echo, Buffer.from('a'), { timeoutMs: 30 }), 'the deadline'),
  );
  t.is(grpcStatusOfError(late), 4);
  const lost = await t.throwsAsync(within(channel.unary(echo, Buffer.from('a')), 'no SETTINGS'));
  t.regex(String(lost?.message), /upstream_protocol/);
});
