import test from 'ava';
import { registerHooks } from '../../src/diagnostics/hooks/registry.ts';
import { collectStreams } from '../../src/diagnostics/hooks/streams.ts';
import { createMesh } from '../../src/index.ts';

/** One call of a mesh that waits for its upstream, looked at as a monitor does. */
async function waitingCall(): Promise<ReturnType<typeof collectStreams>> {
  await using mesh = await createMesh();
  const { promise, resolve } = Promise.withResolvers<Response>();
  mesh.handle('slow', () => promise);
  const call = mesh.fetch('http://slow/');
  const streams = collectStreams();
  resolve(new Response('done'));
  await (await call).text();
  return streams;
}

test.serial('a mesh that is made where a monitor runs keeps account of its streams', async (t) => {
  const unregister = registerHooks('test', {});
  const { count, groups } = await waitingCall();
  unregister();
  t.is(count, 1);
  t.like(groups[0], { upstream: 'slow', phase: 'awaitUpstream', count: 1 });
});

test.serial('without a monitor it does not', async (t) => {
  t.is((await waitingCall()).count, 0);
});
