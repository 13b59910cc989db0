import { once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import test from 'ava';
import { tcpUpstream, within } from '../support.ts';
import { modes, startMesh } from './modes.ts';

for (const mode of modes) {
  test(`${mode}: an upgrade through the agent becomes a tunnel that half-closes, or is refused by its route`, async (t) => {
    const { address } = await tcpUpstream(t, (socket) => {
      socket.once('data', (head: Buffer) => {
        const isUpgrade = /\r\nupgrade: echo\r\n/i.test(head.toString('latin1'));
        const sent = /\r\nx-sent: (\w+)\r\n/i.exec(head.toString('latin1'))?.[1] ?? 'nothing';
        if (!isUpgrade) {
          socket.end(
            'HTTP/1.1 426 Upgrade Required\r\nupgrade: echo\r\nconnection: close, upgrade\r\ncontent-length: 0\r\n\r\n',
          );
          return;
        }
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: upgrade\r\nx-a: ${sent}\r\n\r\nhello `,
        );
        socket.pipe(socket);
      });
    });
    const mesh = await startMesh(mode, {
      clusters: [{ name: 'echo', endpoints: [address] }],
      inProcess: {
        // No filter and no tracer looks at a field: encoders find them all the same.
        tracing: { enabled: false },
        virtualHosts: [
          {
            name: 'all',
            domains: ['echo.example'],
            routes: [
              { match: { prefix: '/plain' }, cluster: 'echo' },
              { match: { prefix: '/' }, cluster: 'echo', upgrades: ['echo'] },
            ],
          },
        ],
      },
    });
    t.teardown(() => mesh.close());
    const ask = (path: string) =>
      request({
        host: 'echo.example',
        path,
        agent: mesh.agent,
        headers: { connection: 'upgrade', upgrade: 'echo', 'x-sent': 'b' },
      }).end();
    const asked = ask('/');
    const [response, socket, first] = (await within(once(asked, 'upgrade'), 'the upgrade')) as [
      { statusCode: number; headers: Record<string, string> },
      Socket,
      Buffer,
    ];
    t.is(response.statusCode, 101);
    t.is(response.headers['x-a'], 'b');
    let text = first.toString();
    let bytes = 0;
    const sent = 3 * 1024 * 1024;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (text.length < 20) text += chunk.toString();
    });
    socket.end(Buffer.alloc(sent, 'abc'));
    await within(once(socket, 'end'), 'the other side half-closes');
    t.true(text.startsWith('hello abcabc'));
    t.is(bytes + first.length, sent + 6);
    const [refused] = (await within(once(ask('/plain'), 'response'), 'the answer')) as [
      { statusCode: number; resume(): void },
    ];
    t.is(refused.statusCode, 426);
    refused.resume();
  });
}
