import test from 'ava';
import type { MeshApi } from '../../../src/index.ts';
import { echo, eventually, upstream, within } from '../support.ts';
import { recordingLogger, startMarked } from './support.ts';

const isUp = (mesh: MeshApi) => async (): Promise<boolean> => {
  const { parts } = await mesh.health();
  return parts[0]?.status === 'ok';
};

/** Calls until the worker is there again. */
const answers = (mesh: MeshApi, authority: string): Promise<true> =>
  eventually(
    () =>
      mesh.request({ authority }).then(
        (response) => response.status === 200 || undefined,
        () => undefined,
      ) as Promise<true | undefined>,
    'the worker answers again',
  );

for (const [end, reason] of [
  ['exit', /exit code 7/],
  ['throw', /thrown by a filter, later/],
  ['memory', /ERR_WORKER_OUT_OF_MEMORY/],
  ['spin', /its loop did not turn for 1000 ms/],
] as const) {
  test(`a worker that ends by "${end}" fails what is under way, is started again, and the program lives on`, async (t) => {
    const { address } = await upstream(t, (request, response) => {
      if (request.url === '/holds') return;
      echo(request, response);
    });
    const logger = recordingLogger();
    const mesh = await startMarked(
      {
        listeners: [
          {
            name: 'in',
            address: '127.0.0.1:0',
            virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ match: {}, cluster: 'app' }] }],
          },
        ],
        clusters: [{ name: 'users', endpoints: [address] }, { name: 'app' }],
      },
      { logger, worker: { maxHeapMb: 64, hangTimeoutMs: end === 'spin' ? 1000 : 0 } },
    );
    t.teardown(() => mesh.close());
    mesh.handle('app', () => new Response('from the application'));
    const bound = mesh.listeners.addresses['in'] as string;
    t.is(await (await fetch(`http://${bound}/`)).text(), 'from the application');

    const held = mesh.request({ authority: 'users', path: '/holds' });
    const tunnel = await mesh.connect('users');
    const cut = new Promise((resolve) => tunnel.once('error', resolve));
    await (await mesh.request({ authority: 'users' })).bytes();
    const last = mesh.request({ authority: 'users', headers: { 'x-end': end } });
    for (const call of [held, last]) {
      t.like(await t.throwsAsync(within(call, 'the call fails')), {
        code: 'ERR_WORKER_LOST',
        retry: 'ifReused',
        context: { reason: 'worker_lost' },
      });
    }
    t.like(await within(cut, 'the tunnel fails'), { code: 'ERR_WORKER_LOST' });
    const { status, parts } = await mesh.health();
    t.is(status, 'failed');
    t.regex(parts[0]?.reason ?? '', reason);
    const early = mesh.request({ authority: 'users' });
    t.like(await t.throwsAsync(early), { code: 'ERR_WORKER_DOWN', retry: 'yes' });
    t.like(await t.throwsAsync(mesh.connect('users')), { code: 'ERR_WORKER_DOWN' });

    await answers(mesh, 'users');
    t.true(await isUp(mesh)());
    t.is(await (await mesh.fetch('http://app/')).text(), 'from the application');
    t.is(
      await (await fetch(`http://${bound}/`)).text(),
      'from the application',
      'at the address that it had',
    );
    const told = logger.lines.find(({ message }) => message.includes('ended, it is started again'));
    t.is(told?.level, 'error');
    t.regex(String(told?.fields?.['reason']), reason);
  });
}

test('a mesh is closed and drained while its worker is down', async (t) => {
  for (const end of ['close', 'drain'] as const) {
    const mesh = await startMarked();
    mesh.handle('app', () => new Response('fine'));
    t.like(await t.throwsAsync(mesh.request({ authority: 'app', headers: { 'x-end': 'exit' } })), {
      code: 'ERR_WORKER_LOST',
    });
    await within(mesh[end](), end);
    t.like(await t.throwsAsync(mesh.request({ authority: 'app' })), { code: 'ERR_MESH_CLOSED' });
  }
});
