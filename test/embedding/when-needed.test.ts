import test from 'ava';
import { runProgram } from '../fixtures/run-program.ts';

/** A program of its own: this one has Node's fetch loaded already. Prints what `script` hands to `say`. */
async function said(script: string): Promise<unknown> {
  const outbound = new URL('../../src/embedding/dispatcher/global.ts', import.meta.url).href;
  const text = `
    const { installDispatcher } = await import('${outbound}');
    const first = Symbol.for('undici.globalDispatcher.1'), second = Symbol.for('undici.globalDispatcher.2');
    const isLoaded = () => process.moduleLoadList.some((name) => name.includes('undici/undici'));
    const body = (text) => ({ complete: Buffer.from(text), cancel() {} });
    const port = {
      knows: (authority) => authority === 'users',
      request: async ({ path }) => ({ status: 200, headers: new Map(), body: body('mesh ' + path), trailers: null }),
    };
    const ownFetch = fetch;
    const undo = installDispatcher(port);
    const say = (value) => console.log(JSON.stringify(value));
    const textOf = async (response) => await response.text();
    ${script}`;
  const { exitCode, stdout, stderr } = await runProgram(['--input-type=module', '-e', text]);
  if (exitCode !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

test('fetch is not loaded before it is called, and then its first call goes through the mesh', async (t) => {
  const got = await said(`
    const before = isLoaded();
    const captured = fetch;
    const a = await textOf(await fetch('http://users/a'));
    say([before, a, fetch === ownFetch, await textOf(await captured('http://users/b')), fetch.length]);`);
  t.deepEqual(got, [false, 'mesh /a', true, 'mesh /b', 1]);
});

test('a fetch that was kept from before the hook goes through the mesh once it is loaded', async (t) => {
  const got = await said(`
    await ownFetch('http://users.invalid/').catch(() => {});
    say(await textOf(await ownFetch('http://users/a')));`);
  t.is(got, 'mesh /a');
});

test('undici finds the mesh when it looks for a global dispatcher', async (t) => {
  const got = await said(`
    const { request, getGlobalDispatcher } = await import('undici');
    const answer = await request('http://users/a');
    say([await answer.body.text(), getGlobalDispatcher() === globalThis[second], await textOf(await fetch('http://users/b'))]);`);
  t.deepEqual(got, ['mesh /a', true, 'mesh /b']);
});

test('undici goes through the mesh when something else has loaded fetch before', async (t) => {
  const got = await said(`
    new Response('loaded');
    const early = await textOf(await fetch('http://users/early'));
    const { request } = await import('undici');
    const answer = await request('http://users/a');
    say([early, await answer.body.text()]);`);
  t.deepEqual(got, ['mesh /early', 'mesh /a']);
});

test('a dispatcher that the application sets first is over the mesh, and taking the hook back leaves it', async (t) => {
  const got = await said(`
    const { Agent, setGlobalDispatcher, getGlobalDispatcher } = await import('undici');
    const own = new Agent();
    setGlobalDispatcher(own);
    undo();
    say([getGlobalDispatcher() === own]);`);
  t.deepEqual(got, [true]);
});

test('taken back before anything needed it, nothing is left', async (t) => {
  const got = await said(`
    undo();
    const left = [first, second].some((key) => Object.hasOwn(globalThis, key));
    const error = await fetch('http://users/a').catch((thrown) => thrown.message);
    say([left, isLoaded(), fetch === ownFetch, error]);`);
  t.deepEqual(got, [false, true, true, 'fetch failed']);
});
