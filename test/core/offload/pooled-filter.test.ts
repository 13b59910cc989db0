import test from 'ava';
import * as v from 'valibot';
import { createMesh, type Mesh, type MeshConfig, pooledFilter } from '../../../src/index.ts';
import { type Echoed, echo, eventually, upstream, within } from '../../mesh/support.ts';
import { recordingLogger } from '../../mesh/worker/support.ts';

const upper = pooledFilter({
  name: 'upper',
  config: v.object({ suffix: v.optional(v.string(), '!') }),
  module: new URL('../../fixtures/pool/upper.pool.ts', import.meta.url),
  hooks: ['request', 'response'],
  // Generous: machines that run tests are loaded, and threads start from sources.
  bounds: { timeoutMs: 20_000 },
});

const configOf = (address: string, pool: object = {}, suffix?: string): MeshConfig => ({
  clusters: [{ name: 'users', endpoints: [address] }],
  inProcess: { filters: [{ name: 'upper', config: { pool, ...(suffix === undefined ? {} : { suffix }) } }] },
});

const failures = (mesh: Mesh, reason: string): number | undefined =>
  mesh.runtime.metrics
    .totals()
    .series.find(
      ({ name, labels }) => name === 'heddle_filter_pool_failures_total' && labels['reason'] === reason,
    )?.values[0];

test('a pooled filter changes heads and whole bodies, answers itself, or leaves a message alone', async (t) => {
  const { address } = await upstream(t, echo);
  await using mesh = await createMesh(configOf(address, {}, '?'), { use: [upper] });
  const ask = (does: string, body?: string | AsyncIterable<Uint8Array>) =>
    mesh.request({
      authority: 'users',
      method: body === undefined ? 'GET' : 'POST',
      path: '/p',
      headers: { 'x-do': does, 'x-secret': 's' },
      ...(body === undefined ? {} : { body }),
    });
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('hel');
    yield Buffer.from('lo');
  }
  for (const body of ['hello', pieces()]) {
    const response = await ask('', body);
    t.is(response.headers.get('x-answered'), 'pool');
    const text = await response.text();
    t.is(Number(response.headers.get('content-length')), Buffer.byteLength(text));
    t.true(text.startsWith('200: {'));
    const got = JSON.parse(text.slice(5)) as Echoed;
    t.is(got.body, 'HELLO?');
    t.is(got.headers['content-length'], '6');
    t.like(got.headers, { 'x-upper': 'yes' });
    t.false('x-secret' in got.headers);
  }
  const reply = await ask('reply');
  t.is(reply.status, 403);
  t.is(reply.headers.get('x-why'), 'because');
  t.is(await reply.text(), '/p is not for you\n');
  const alone = JSON.parse((await (await ask('nothing', 'as it is')).text()).slice(5)) as Echoed;
  t.is(alone.body, 'as it is');
  t.is(alone.headers['x-secret'], 's');
});

for (const [does, reason] of [
  ['crash', 'crash'],
  ['memory', 'crash'],
  ['throw', 'failed'],
  ['huge', 'failed'],
  ['nonsense', 'answer'],
] as const) {
  test.serial(
    `"${does}" costs the filter's verdict only: refused by default, passed where the configuration says so`,
    async (t) => {
      const { address } = await upstream(t, echo);
      const logger = recordingLogger();
      const ask = (mesh: Mesh, what: string) =>
        mesh.request({ authority: 'users', method: 'POST', body: 'b', headers: { 'x-do': what } });
      await using mesh = await createMesh(configOf(address, { maxHeapMb: 16 }), { use: [upper], logger });
      const error = await t.throwsAsync(within(ask(mesh, does), 'the request fails'));
      t.like(error, { code: 'ERR_FILTER_FAILED', retry: 'no' });
      t.is(failures(mesh, reason), 1);
      t.true(logger.lines.some(({ message }) => message === 'a stream filter failed'));
      t.is((await ask(mesh, '')).status, 200, 'the next one is served');
      t.deepEqual(await mesh.reload(configOf(address, { maxHeapMb: 16, onFailure: 'pass' })), {
        applied: true,
        problems: [],
      });
      const passed = await within(ask(mesh, does), 'the request goes on');
      t.is(passed.status, 200);
      t.is((JSON.parse((await passed.text()).slice(5)) as Echoed).body, 'b');
      t.is(failures(mesh, reason), 2);
    },
  );
}

test.serial(
  'a loop that does not end, and a promise that nobody keeps, cost a thread after the time limit, and nothing else',
  async (t) => {
    const { address } = await upstream(t, echo);
    await using mesh = await createMesh(configOf(address), { use: [upper] });
    const ask = (does: string) => mesh.request({ authority: 'users', headers: { 'x-do': does } });
    t.is((await ask('')).status, 200);
    await mesh.reload(configOf(address, { timeoutMs: 1500 }));
    for (const does of ['hang', 'wait']) {
      const before = performance.now();
      t.like(await t.throwsAsync(within(ask(does), does)), { code: 'ERR_FILTER_FAILED' }, does);
      t.true(performance.now() - before >= 1400, does);
    }
    t.is(failures(mesh, 'timeout'), 2);
    await eventually(
      () =>
        ask('').then(
          ({ status }) => status === 200,
          () => false,
        ),
      'the thread is replaced',
    );
  },
);

test.serial('the queue is bounded', async (t) => {
  const { address } = await upstream(t, echo);
  await using mesh = await createMesh(configOf(address, { maxQueue: 2, timeoutMs: 2000 }), { use: [upper] });
  const calls = Array.from({ length: 6 }, () =>
    mesh
      .request({ authority: 'users', headers: { 'x-do': 'wait' } })
      .catch((error: { code: string }) => error.code),
  );
  await eventually(() => (failures(mesh, 'queue') ?? 0) > 0, 'some find the queue full');
  await within(Promise.all(calls), 'all end');
  t.true((failures(mesh, 'queue') ?? 0) >= 3);
});

test('bounds that are not allowed are problems of the configuration, and the dump runs again', async (t) => {
  const bad = configOf('127.0.0.1:1', { timeoutMs: 0, onFailure: 'maybe', threads: 2 });
  const error = await t.throwsAsync(createMesh(bad, { use: [upper] }));
  for (const part of ['pool.timeoutMs', 'pool.onFailure', 'pool.threads'])
    t.true(error?.message.includes(part), part);
  await using mesh = await createMesh(configOf('127.0.0.1:1', { maxQueue: 7 }), { use: [upper] });
  await using again = await createMesh(mesh.dump() as MeshConfig, { use: [upper] });
  t.deepEqual(again.dump(), mesh.dump());
  t.true(JSON.stringify(mesh.dump()).includes('"maxQueue":7'));
});
