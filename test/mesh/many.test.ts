import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { createMesh } from '../../src/index.ts';
import { eventually, upstream } from './support.ts';

const rounds = 1000;
/** Every so many rounds a mesh listens and carries a request from outside and one of its own. */
const busyEvery = 10;
const allowedGrowthBytes = 1024 * 1024;

declare const gc: () => void;

const emitters = ['SIGTERM', 'SIGINT', 'exit', 'uncaughtException', 'warning', 'beforeExit'];
const listenersOfProcess = (): number => emitters.reduce((sum, name) => sum + process.listenerCount(name), 0);
/** Sockets, servers, watchers, timers: what keeps handles open, by kind. */
const resources = (): string => process.getActiveResourcesInfo().sort().join(' ');

async function heapBytes(): Promise<number> {
  let bytes = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 4; i++) {
    gc();
    await turn();
    bytes = Math.min(bytes, process.memoryUsage().heapUsed);
  }
  return bytes;
}

/** Without node:http or fetch, whose own pools and caches would be measured as well. */
function ask(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
    socket.write('GET / HTTP/1.1\r\nhost: users\r\nconnection: close\r\n\r\n');
  });
}

test('1,000 meshes started and disposed leave no socket, no listener and no memory behind', async (t) => {
  t.timeout(120_000);
  const { address, sockets } = await upstream(t, (_request, response) => void response.end('ok'));
  const round = async (i: number): Promise<void> => {
    const isBusy = i % busyEvery === 0;
    await using mesh = await createMesh({
      listeners: isBusy
        ? [
            {
              name: 'in',
              address: '127.0.0.1:0',
              virtualHosts: [
                { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, cluster: 'users' }] },
              ],
            },
          ]
        : [],
      clusters: [{ name: 'users', endpoints: [address] }],
    });
    if (!isBusy) return;
    t.is(await (await mesh.request({ authority: 'users' })).text(), 'ok');
    t.regex(await ask(mesh.listeners.addresses['in'] as string), /^HTTP\/1\.1 200 /);
  };
  for (let i = 0; i < 20; i++) await round(i);
  await eventually(() => sockets.size === 0, 'all connections of the first rounds are closed');
  const before = { resources: resources(), listeners: listenersOfProcess() };
  let middleBytes = 0;
  for (let i = 1; i <= rounds; i++) {
    await round(i);
    if (i === rounds / 2) middleBytes = await heapBytes();
  }
  const grownBytes = (await heapBytes()) - middleBytes;
  t.true(grownBytes < allowedGrowthBytes, `the heap grew by ${grownBytes} bytes`);
  t.log(`heap growth from round ${rounds / 2} to ${rounds}: ${grownBytes} bytes`);
  await eventually(() => sockets.size === 0, 'all connections are closed');
  await eventually(() => resources() === before.resources, `resources as before: ${before.resources}`);
  t.is(listenersOfProcess(), before.listeners);
});
