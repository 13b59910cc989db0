import { once } from 'node:events';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { createMesh } from '../../src/index.ts';
import { at, pem } from '../transport/tls/support.ts';
import { type Teardown, tcpUpstream, upstream, within } from './support.ts';

/** A mesh on a loop of its own, where writes wait for the end of the turn. */
async function ownLoop(t: Teardown, app: string, tls?: { readonly ca: string }) {
  const mesh = await createMesh(
    {
      listeners: [
        {
          name: 'in',
          address: '127.0.0.1:0',
          virtualHosts: [
            {
              name: 'all',
              domains: ['*'],
              routes: [
                { match: { path: '/direct' }, directResponse: { status: 200, body: 'direct' } },
                { match: { prefix: '/' }, cluster: 'app', upgrades: ['websocket'] },
              ],
            },
          ],
        },
      ],
      clusters: [{ name: 'app', endpoints: [app], ...(tls !== undefined && { tls }) }],
    },
    { surroundings: { ownsLoop: true } },
  );
  t.teardown(() => mesh.close());
  return { mesh, address: mesh.listeners.addresses['in'] as string };
}

function dial(t: Teardown, address: string) {
  const [host, port] = address.split(':') as [string, string];
  const socket = connect(Number(port), host);
  t.teardown(() => socket.destroy());
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  const ended = once(socket, 'end').then(() => text);
  return { socket, ended };
}

test('many connections at once each get their own answers, small and large', async (t) => {
  const app = await upstream(t, (request, response) => {
    const [, size, id] = (request.url as string).split('/') as [string, string, string];
    request.resume().on('end', () => response.end(id.padEnd(Number(size), '.')));
  });
  const { address } = await ownLoop(t, app.address);
  const sizes = [1, 900, 20_000, 90_000, 400_000];
  const call = async (i: number): Promise<boolean> => {
    const size = sizes[i % sizes.length] as number;
    const id = String(i);
    const init = i % 3 === 0 ? { method: 'POST', body: 'b'.repeat(size) } : {};
    const answer = await fetch(`http://${address}/${size}/${id}`, init);
    return (await answer.text()) === id.padEnd(size, '.');
  };
  const answers = await within(Promise.all(Array.from({ length: 200 }, (_, i) => call(i))), 'all answers');
  t.true(answers.every((isRight) => isRight));
});

test('pipelined answers and a refusal come in order, before the connection ends', async (t) => {
  const app = await upstream(t, (_request, response) => void response.end('proxied'));
  const { address } = await ownLoop(t, app.address);
  const { socket, ended } = dial(t, address);
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  socket.write(`${get('/direct')}${get('/p')}${get('/direct')}NONSENSE\r\n\r\n`);
  const text = await within(ended, 'the end');
  const marks = [...text.matchAll(/direct|proxied|HTTP\/1\.1 \d+/g)].map(([mark]) => mark);
  t.deepEqual(marks, [
    'HTTP/1.1 200',
    'direct',
    'HTTP/1.1 200',
    'proxied',
    'HTTP/1.1 200',
    'direct',
    'HTTP/1.1 400',
  ]);
});

test('an answer that closes its connection arrives whole', async (t) => {
  const { address } = await ownLoop(t, '127.0.0.1:1');
  const { socket, ended } = dial(t, address);
  socket.write('GET /direct HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  t.regex(await within(ended, 'the end'), /^HTTP\/1\.1 200 [\s\S]*direct$/);
});

test('a tunnel passes small and large pieces in both directions and ends', async (t) => {
  const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n';
  const app = await tcpUpstream(t, (socket) => {
    socket.once('data', () => {
      socket.write(head);
      socket.on('data', (bytes) => socket.write(bytes));
      socket.on('end', () => socket.end('bye'));
    });
  });
  const { address } = await ownLoop(t, app.address);
  const { socket, ended } = dial(t, address);
  const upgrade = 'Connection: upgrade\r\nUpgrade: websocket\r\n\r\n';
  socket.write(`GET /ws HTTP/1.1\r\nHost: a\r\n${upgrade}`);
  await within(once(socket, 'data'), 'the 101');
  const pieces = ['a', 'b'.repeat(50_000), 'c'.repeat(300_000), 'd'];
  for (const piece of pieces) socket.write(piece);
  socket.end();
  const text = await within(ended, 'the end');
  t.is(text.slice(text.indexOf('\r\n\r\n') + 4), `${pieces.join('')}bye`);
});

test('connections to hosts with TLS serve again, however many calls a turn has', async (t) => {
  // In a thread of its own: an answer may be there before this loop turns again.
  const worker = new Worker(new URL('../fixtures/tls-server.ts', import.meta.url), {
    workerData: { cert: pem('server.pem'), key: pem('server.key') },
  });
  t.teardown(() => worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  const { address } = await ownLoop(t, `127.0.0.1:${port}`, { ca: at('ca-a.pem') });
  const clients = 24;
  const calls = async (): Promise<void> => {
    for (let i = 0; i < 25; i++) {
      const answer = await fetch(`http://${address}/`, { headers: { host: 'a.test' } });
      if ((await answer.text()) !== 'over tls') throw new Error('a wrong answer');
    }
  };
  await within(Promise.all(Array.from({ length: clients }, calls)), 'all answers');
  worker.postMessage(null);
  const [handshakes] = (await once(worker, 'message')) as [number];
  // One for each that called at the same time, and a few that the pool dialled ahead.
  t.true(handshakes <= 2 * clients, `${handshakes} handshakes for ${25 * clients} calls`);
});
