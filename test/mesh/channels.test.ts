import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import test from 'ava';
import { createMesh } from '../../src/index.ts';

test.serial('subscribers are told of streams, tries and reloads, in order', async (t) => {
  const told: string[] = [];
  const names = ['heddle:stream:start', 'heddle:stream:try', 'heddle:stream:end', 'heddle:config:reload'];
  const listen = (_message: unknown, name: string | symbol): void => {
    told.push(String(name));
  };
  for (const name of names) subscribe(name, listen);
  await using mesh = await createMesh();
  mesh.handle('users', () => new Response('hello'));
  await (await mesh.fetch('http://users/')).text();
  await mesh.reload({ log: { level: 'warn' } });
  for (const name of names) unsubscribe(name, listen);
  t.deepEqual(told, names);
});

test.serial('a monitor that asks is told of the streams in progress', async (t) => {
  await using mesh = await createMesh({}, { tracksStreams: true });
  const { promise, resolve } = Promise.withResolvers<Response>();
  mesh.handle('slow', () => promise);
  const call = mesh.fetch('http://slow/');
  const { channel } = await import('node:diagnostics_channel');
  const streams: { upstream: string; phase: string }[] = [];
  channel('heddle:monitor:streams').publish({ add: (stream: never) => streams.push(stream) });
  t.deepEqual(
    streams.map(({ upstream, phase }) => ({ upstream, phase })),
    [{ upstream: 'slow', phase: 'awaitUpstream' }],
  );
  resolve(new Response('done'));
  await (await call).text();
});
