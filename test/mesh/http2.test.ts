import { connect } from 'node:http2';
import test from 'ava';
import { createMesh } from '../../src/index.ts';
import { within } from './support.ts';

test('requests that come again and again are treated as the first: their paths are normalised, the server header is set', async (t) => {
  const mesh = await createMesh({
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        codec: 'http2',
        serverHeader: 'mesh',
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [
              { match: { prefix: '/public' }, directResponse: { status: 200, body: 'public' } },
              { match: { prefix: '/' }, directResponse: { status: 403, body: 'private' } },
            ],
          },
        ],
      },
    ],
  });
  t.teardown(() => mesh.close());
  const session = connect(`http://${mesh.listeners.addresses['in']}`);
  t.teardown(() => session.destroy());
  const ask = (path: string) =>
    within(
      new Promise<string>((resolve, reject) => {
        const stream = session.request({ ':path': path, 'x-a': 'b' });
        let answer = '';
        stream.on('response', (headers) => {
          answer = `${headers[':status']} ${headers['server']}`;
        });
        stream.on('error', reject);
        stream.on('end', () => resolve(answer)).resume();
      }),
      path,
    );
  for (let i = 0; i < 6; i++) {
    t.is(await ask('/public/../private'), '403 mesh', `call ${i}`);
    t.is(await ask('/public/x'), '200 mesh', `call ${i}`);
  }
});
