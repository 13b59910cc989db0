import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import type { MeshConfig } from '../../../src/index.ts';
import { upstream, within } from '../support.ts';
import { modes, startMesh } from './modes.ts';

const text = async (answer: Promise<{ text(): Promise<string> }>): Promise<string> => (await answer).text();

for (const mode of modes) {
  test.serial(
    `${mode}: who starts a reload is asked when all is ready, and may still refuse or throw`,
    async (t) => {
      const one = await upstream(t, (_request, response) => void response.end('one'));
      const two = await upstream(t, (_request, response) => void response.end('two'));
      const config = (address: string): MeshConfig => ({
        clusters: [{ name: 'users', endpoints: [address] }],
      });
      await using mesh = await startMesh(mode, config(one.address));
      const asked: string[] = [];
      const approve = (answer: boolean) => async () => {
        asked.push(await text(mesh.fetch('http://users/')));
        return answer;
      };
      t.deepEqual(await mesh.reload(config(two.address), { approve: approve(false) }), {
        applied: false,
        problems: [],
      });
      t.is(await text(mesh.fetch('http://users/')), 'one');
      t.is(mesh.config.clusters[0]?.endpoints[0]?.address, one.address);
      const thrown = new RangeError('not today');
      const throws = (): never => {
        throw thrown;
      };
      t.is(await t.throwsAsync(mesh.reload(config(two.address), { approve: throws })), thrown);
      const bad = { clusters: [{ name: 'users', endpoints: ['nowhere'] }] };
      t.false((await mesh.reload(bad, { approve: approve(true) })).applied);
      t.is(asked.length, 1, 'what has problems is nothing to approve of');
      t.deepEqual(await mesh.reload(config(two.address), { approve: approve(true) }), {
        applied: true,
        problems: [],
      });
      t.is(await text(mesh.fetch('http://users/')), 'two');
    },
  );

  test.serial(
    `${mode}: a mesh that is closed meanwhile ends a reload that waits for its approval`,
    async (t) => {
      const mesh = await startMesh(mode, { clusters: [{ name: 'users' }] });
      const held = Promise.withResolvers<boolean>();
      const isAsked = Promise.withResolvers<void>();
      const reload = mesh.reload(
        {},
        {
          approve: () => {
            isAsked.resolve();
            return held.promise;
          },
        },
      );
      await within(isAsked.promise, 'the question');
      const refused = t.throwsAsync(reload);
      const closed = mesh.close();
      held.resolve(true);
      await within(closed, 'the close');
      t.like(await within(refused, 'the end of the reload'), { code: 'ERR_MESH_CLOSED' });
    },
  );

  test.serial(
    `${mode}: an ingress answers by its routes, also from clusters, and takes over new ones`,
    async (t) => {
      const { address } = await upstream(t, (_request, response) => void response.end('users'));
      const config = (path: string): MeshConfig => ({
        clusters: [{ name: 'users', endpoints: [address] }],
        ingress: {
          virtualHosts: [
            { name: 'all', domains: ['*'], routes: [{ match: { path }, cluster: 'users', timeoutMs: 5000 }] },
          ],
        },
      });
      await using mesh = await startMesh(mode, config('/users'));
      const server = createServer((_request, response) => void response.end('own'));
      t.teardown(mesh.protect(server));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      t.teardown(() => {
        server.closeAllConnections();
        server.close();
      });
      const { port } = server.address() as AddressInfo;
      const ask = (path: string): Promise<string> => text(fetch(`http://127.0.0.1:${port}${path}`));
      t.deepEqual([await ask('/users'), await ask('/else')], ['users', 'own']);
      t.true((await mesh.reload(config('/else'))).applied);
      t.deepEqual([await ask('/users'), await ask('/else')], ['own', 'users']);
    },
  );
}
