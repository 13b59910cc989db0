import test from 'ava';
import { tcpCheck } from '../../../src/transport/health/tcp-check.ts';
import { deadAddress } from '../../mesh/support.ts';
import { ask, prober, server } from './support.ts';

test('a connection that comes about is enough, and is closed again', async (t) => {
  const closed = Promise.withResolvers<void>();
  const peer = await server(t, (socket) => socket.on('end', () => closed.resolve()).resume());
  const probe = prober(t, tcpCheck, {})(peer.address);
  t.is(await ask(probe), 'pass');
  await closed.promise;
  t.is(await ask(probe), 'pass');
  t.is(peer.connections(), 2);
  t.is(await ask(prober(t, tcpCheck, {})(await deadAddress())), 'fail connect_failure');
});

test('bytes that are sent and bytes that must come back, in pieces, on one connection', async (t) => {
  const peer = await server(t, (socket) => {
    socket.on('data', (bytes) => {
      t.is(bytes.toString(), 'PING\r\n');
      socket.write('+PO');
      setImmediate(() => socket.write('NG\r\n'));
    });
  });
  const probe = prober(t, tcpCheck, { send: { text: 'PING\r\n' }, expect: { text: '+PONG' } })(peer.address);
  for (let i = 0; i < 3; i++) t.is(await ask(probe), 'pass');
  t.is(peer.connections(), 1);
});

test('a banner is waited for on a connection of its own; hexadecimal digits name any byte', async (t) => {
  const peer = await server(t, (socket) => socket.write(Buffer.from([0x4a, 0, 0, 0, 0x0a])));
  const probe = prober(t, tcpCheck, { expect: { hex: '0000000a' } })(peer.address);
  t.is(await ask(probe), 'pass');
  t.is(await ask(probe), 'pass');
  t.is(peer.connections(), 2);
});

test('another answer goes on until it is too long, or ends', async (t) => {
  const given = { send: { text: 'a' }, expect: { text: 'never' } };
  const talks = await server(t, (socket) => socket.once('data', () => socket.write('x'.repeat(70_000))));
  t.is(await ask(prober(t, tcpCheck, given)(talks.address)), 'fail answer_differs');
  const ends = await server(t, (socket) => socket.once('data', () => socket.end('no')));
  t.is(await ask(prober(t, tcpCheck, given)(ends.address)), 'fail upstream_closed');
});

test('what cannot be a check is refused', (t) => {
  for (const given of [
    { send: { text: 'a' } },
    { expect: { hex: 'abc' } },
    { send: { text: '' }, expect: { text: 'a' } },
    { x: 1 },
  ]) {
    const result = tcpCheck.config['~standard'].validate(given);
    t.true(!(result instanceof Promise) && result.issues !== undefined, JSON.stringify(given));
  }
});
