import { once } from 'node:events';
import { type AddressInfo, connect as connectPlain, createServer } from 'node:net';
import { connect, TLSSocket } from 'node:tls';
import test from 'ava';
import { createMesh } from '../../../src/index.ts';
import { upstream, within } from '../../mesh/support.ts';
import { issued, plainPair, testAuthority } from './support.ts';

/** TLS 1.3 with AES-GCM adds 5 bytes of head, 1 of type and 16 of tag to a record (RFC 8446 §5.2). */
const recordBytes = 22;

test('an answer of an upstream leaves in one record, head and body together', async (t) => {
  const { ca, authority } = testAuthority();
  const body = 'x'.repeat(1024);
  const plain = await upstream(t, (_request, response) =>
    response.setHeader('content-length', 1024).end(body),
  );
  const mesh = await createMesh({
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        tls: { certificates: [plainPair(issued(authority))], sessionTickets: { enabled: false } },
        virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ cluster: 'up' }] }],
      },
    ],
    clusters: [{ name: 'up', endpoints: [plain.address] }],
  });
  t.teardown(() => mesh.close());
  const raw = connectPlain(Number(mesh.listeners.addresses['in']?.split(':')[1]), '127.0.0.1');
  await within(once(raw, 'connect'), 'connect');
  const socket = connect({ socket: raw, ca, servername: 'a.test' });
  t.teardown(() => socket.destroy());
  await within(once(socket, 'secureConnect'), 'handshake');
  let plainBytes = 0;
  let records = 0;
  socket.on('data', (chunk: Buffer) => {
    plainBytes += chunk.length;
    records++;
  });
  for (let asked = 1; asked <= 3; asked++) {
    const before = { raw: raw.bytesRead, plain: plainBytes };
    records = 0;
    socket.write('GET / HTTP/1.1\r\nhost: a.test\r\n\r\n');
    await within(
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (plainBytes - before.plain > 1024) resolve();
        };
        socket.on('data', look);
      }),
      'answer',
    );
    // Behind the handshake come tickets.
    if (asked === 1) continue;
    t.is(raw.bytesRead - before.raw - (plainBytes - before.plain), recordBytes);
    t.is(records, 1);
  }
});

test('a request to a host leaves in one record, head and body together', async (t) => {
  const { ca, authority } = testAuthority();
  const pair = plainPair(issued(authority));
  const seen: number[] = [];
  const server = createServer((raw) => {
    const socket = new TLSSocket(raw, { isServer: true, ...pair });
    socket.on('error', () => {});
    let before = { raw: 0, plain: 0 };
    let plainBytes = 0;
    socket.once('secure', () => {
      before = { raw: raw.bytesRead, plain: 0 };
    });
    socket.on('data', (chunk: Buffer) => {
      plainBytes += chunk.length;
      if (!String(chunk).endsWith('body')) return;
      seen.push(raw.bytesRead - before.raw - (plainBytes - before.plain));
      before = { raw: raw.bytesRead, plain: plainBytes };
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const mesh = await createMesh({ clusters: [{ name: 'up', endpoints: [endpoint], tls: { ca } }] });
  t.teardown(() => mesh.close());
  for (let i = 0; i < 4; i++) {
    const response = await mesh.request({
      authority: 'up',
      path: '/',
      method: 'POST',
      body: 'body',
    } as never);
    t.is(await response.text(), 'ok');
  }
  // The first request may come along with the end of the handshake.
  t.deepEqual(seen.slice(1), [recordBytes, recordBytes, recordBytes]);
});
