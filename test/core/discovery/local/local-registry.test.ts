import test from 'ava';
import type { RegistryContext } from '../../../../src/core/contract/registry.ts';
import {
  LocalRegistry,
  memoryRegistry,
  type PublishPlace,
  parsePublish,
  parseSubscribe,
  parseUnpublish,
} from '../../../../src/core/discovery/local/index.ts';
import { settle, type TestContext, testContext } from '../support.ts';

const statePath = '/state/local-registry.json';

interface Bench {
  readonly context: TestContext;
  readonly local: LocalRegistry;
  readonly memory: PublishPlace;
}

async function open(context = testContext(), limits: { publications?: number; path?: string | null } = {}) {
  const { publications = 100, path = statePath } = limits;
  const local = new LocalRegistry(context);
  local.configure({
    maxPublications: publications,
    maxSubscriptions: 3,
    statePath: path,
  });
  await local.load();
  const memory: PublishPlace = {
    name: 'memory',
    registry: memoryRegistry.create({}, context as RegistryContext),
  };
  local.follow([memory], [memory.registry]);
  const bench: Bench = { context, local, memory };
  return bench;
}

const say = (fields: object) => parsePublish(JSON.stringify({ service: 'users', ...fields }));
const ask = (fields: object = {}) =>
  parseSubscribe(JSON.stringify({ service: 'users', waitMs: 0, ...fields }));

async function addresses(local: LocalRegistry): Promise<string[]> {
  return (await local.subscribe(ask())).endpoints.map((each) => each.address);
}

test('what is published is listed, once for each service and address', async (t) => {
  const { local, context } = await open();
  const first = await local.publish(say({ address: '10.0.0.1:80' }));
  t.like(first, { result: 'published', isSaved: true });
  t.deepEqual(first.registries, [{ registry: 'memory', state: 'published', reason: '' }]);
  t.is((await local.publish(say({ address: '10.0.0.1:80' }))).result, 'unchanged');
  t.is((await local.publish(say({ address: '10.0.0.1:80', weight: 5 }))).result, 'changed');
  await local.publish(say({ address: '10.0.0.2:80', metadata: { version: '2' }, zone: 'east' }));
  const { endpoints, isKnown } = await local.subscribe(ask());
  t.true(isKnown);
  t.deepEqual(
    endpoints.map(({ address, weight, zone }) => [address, weight, zone]),
    [
      ['10.0.0.1:80', 5, ''],
      ['10.0.0.2:80', 1, 'east'],
    ],
  );
  const gone = parseUnpublish('{"service":"users","address":"10.0.0.1:80"}');
  t.is((await local.unpublish(gone)).result, 'unpublished');
  t.is((await local.unpublish(gone)).result, 'unknown');
  context.clock.advance(1000);
  t.deepEqual(await addresses(local), ['10.0.0.2:80']);
});

test('a question that names the version it has waits for the next one', async (t) => {
  const { local, context } = await open();
  await local.publish(say({ address: '10.0.0.1:80' }));
  const { version } = await local.subscribe(ask());
  t.is((await local.subscribe(ask({ version }))).version, version, 'no wait was asked for');
  let isOver = false;
  const waiting = local.subscribe(ask({ version, waitMs: 30_000 })).finally(() => {
    isOver = true;
  });
  await settle();
  context.clock.advance(29_000);
  await settle();
  t.false(isOver);
  await local.publish(say({ address: '10.0.0.2:80' }));
  context.clock.advance(1000);
  const next = await waiting;
  t.not(next.version, version);
  t.is(next.endpoints.length, 2);
  const late = local.subscribe(ask({ version: next.version, waitMs: 30_000 }));
  context.clock.advance(30_000);
  t.is((await late).version, next.version, 'the same list after the wait');
  const before = context.clock.pendingTimers;
  const leaving = new AbortController();
  const left = local.subscribe(ask({ version: next.version, waitMs: 30_000 }), leaving.signal);
  t.is(context.clock.pendingTimers, before + 1);
  leaving.abort();
  await left;
  t.is(context.clock.pendingTimers, before, 'a caller that hung up leaves nothing behind');
});

test('what was said survives a restart, with leases that begin anew', async (t) => {
  const context = testContext();
  const first = await open(context);
  await first.local.publish(say({ address: '10.0.0.1:80', weight: 4, metadata: { version: '2' } }));
  await first.local.publish(say({ address: '10.0.0.2:80', ttlMs: 5000, protocol: 'bolt' }));
  await first.local.subscribe(ask());
  await first.local.close();
  t.is(context.clock.pendingTimers, 0);
  const second = await open(context);
  t.deepEqual(await addresses(second.local), ['10.0.0.1:80', '10.0.0.2:80']);
  t.like(second.local.list(null), {
    publications: [
      { endpoint: { weight: 4, metadata: { version: '2' } } },
      { protocol: 'bolt', ttlMs: 5000 },
    ],
    subscriptions: [{ service: 'users' }],
    state: { status: 'ok', path: statePath },
  });
  context.clock.advance(4999);
  await second.local.publish(say({ address: '10.0.0.2:80', ttlMs: 5000, protocol: 'bolt' }));
  context.clock.advance(4999);
  t.is((await addresses(second.local)).length, 2, 'said again within its lease');
  context.clock.advance(5000);
  t.deepEqual(await addresses(second.local), ['10.0.0.1:80']);
  await settle();
  t.false(context.files.texts.get(statePath)?.includes('10.0.0.2'));
});

for (const [what, text, reason] of [
  ['cut off', '{"version":1,"publications":[{"service":"us', /no JSON/],
  ['of another version', '{"version":9}', /version is 9/],
  ['without lists', '{"version":1}', /no lists/],
  [
    'with a bad address',
    '{"version":1,"publications":[{"service":"a","endpoint":{"address":"x"}}],"subscriptions":[]}',
    /address "x"/,
  ],
] as const) {
  test(`a state file ${what} is kept aside and the log says why`, async (t) => {
    const context = testContext();
    context.files.texts.set(statePath, text);
    const { local } = await open(context);
    t.is(context.files.texts.get(`${statePath}.bad`), text);
    const line = context.logger.lines.find((each) => each.level === 'error');
    t.regex(String(line?.fields['reason']), reason);
    t.is(line?.fields['kept'], `${statePath}.bad`);
    t.true((await local.publish(say({ address: '10.0.0.1:80' }))).isSaved);
  });
}

test('a full disk stops nothing and is told once', async (t) => {
  const { local, context } = await open();
  const write = context.files.writeText;
  context.files.writeText = () => Promise.reject(new Error('ENOSPC: no space left on device'));
  t.like(await local.publish(say({ address: '10.0.0.1:80' })), { result: 'published', isSaved: false });
  await local.publish(say({ address: '10.0.0.2:80' }));
  t.is((await addresses(local)).length, 2);
  t.like(local.health(), { status: 'degraded' });
  t.regex(local.health().reason, /ENOSPC/);
  t.is(context.logger.lines.filter((each) => each.message.includes('not saved')).length, 1);
  context.files.writeText = write;
  t.true((await local.publish(say({ address: '10.0.0.3:80' }))).isSaved);
  t.is(local.health().status, 'ok');
});

test('many at once are written together, and the last state is the one on disk', async (t) => {
  const { local, context } = await open();
  let writes = 0;
  const write = context.files.writeText.bind(context.files);
  context.files.writeText = async (path, text) => {
    writes++;
    await settle();
    await write(path, text);
  };
  await Promise.all(
    Array.from({ length: 50 }, (_, i) => local.publish(say({ address: `10.0.0.${i + 1}:80` }))),
  );
  t.true(writes <= 3, String(writes));
  const text = context.files.texts.get(statePath) ?? '';
  t.is((JSON.parse(text) as { publications: unknown[] }).publications.length, 50);
});

test('there is a limit to what strangers may say', async (t) => {
  const { local } = await open(testContext(), { publications: 2 });
  await local.publish(say({ address: '10.0.0.1:80' }));
  await local.publish(say({ address: '10.0.0.2:80' }));
  await t.throwsAsync(local.publish(say({ address: '10.0.0.3:80' })), { code: 'ERR_REGISTRY_FULL' });
  await local.publish(say({ address: '10.0.0.2:80', weight: 2 }));
  for (const service of ['a', 'b', 'c']) await local.subscribe(ask({ service }));
  await t.throwsAsync(local.subscribe(ask({ service: 'd' })), { code: 'ERR_REGISTRY_FULL' });
  t.is((await local.unsubscribe('a')).result, 'unsubscribed');
  t.is((await local.unsubscribe('a')).result, 'unknown');
  await local.subscribe(ask({ service: 'd' }));
});

test('registries that come and go with a reload are told and untold', async (t) => {
  const { local, memory, context } = await open();
  await local.publish(say({ address: '10.0.0.1:80' }));
  const other: PublishPlace = { name: 'other', registry: memoryRegistry.create({}, context) };
  local.follow([memory, other], [memory.registry, other.registry]);
  const listed = () => {
    let seen: string[] = [];
    other.registry.subscribe('users', (delta) => {
      seen = delta.added.map((each) => each.address);
    })();
    return seen;
  };
  t.deepEqual(listed(), ['10.0.0.1:80']);
  t.is((await addresses(local)).length, 1, 'one address in two registries is one endpoint');
  local.follow([memory], [memory.registry]);
  t.deepEqual(listed(), []);
  local.follow([], [memory.registry]);
  await settle();
  context.clock.advance(1000);
  t.deepEqual(await addresses(local), []);
});

test('a name that no registry can have is refused, also when it was kept before a change of registries', async (t) => {
  const { local, memory } = await open();
  await local.subscribe(ask());
  const picky = {
    ...memory.registry,
    subscribe: () => {
      throw new Error('no such name');
    },
    health: () => memory.registry.health(),
    close: async () => {},
  };
  local.follow([], [picky]);
  await t.throwsAsync(local.subscribe(ask({ service: 'orders' })), {
    code: 'ERR_REGISTRY_REQUEST',
    message: /no such name/,
  });
  t.like(local.list(null), { subscriptions: [{ service: 'users', isKnown: false }] });
  local.follow([], [memory.registry]);
  t.true((await local.subscribe(ask())).isKnown);
});

test('a registry that refuses is named, the others have it', async (t) => {
  const { local, memory } = await open();
  const picky: PublishPlace = {
    name: 'picky',
    registry: {
      subscribe: () => () => {},
      publish: () => {
        throw new Error('no such protocol');
      },
      health: () => ({ status: 'ok', reason: '', sinceMs: 0 }),
      close: async () => {},
    },
  };
  local.follow([memory, picky], [memory.registry]);
  const { registries } = await local.publish(say({ address: '10.0.0.1:80' }));
  t.deepEqual(
    registries.map(({ registry, state }) => [registry, state]),
    [
      ['memory', 'published'],
      ['picky', 'refused'],
    ],
  );
  t.like(local.health(), { status: 'degraded', reason: 'no such protocol' });
});

test('a registry that is down makes nobody wait longer than he wants', async (t) => {
  const { local, context } = await open();
  const down: PublishPlace = {
    name: 'down',
    registry: {
      subscribe: () => () => {},
      publish: () => ({ ready: new Promise(() => {}), withdraw: () => new Promise(() => {}) }),
      health: () => ({ status: 'failed', reason: 'down', sinceMs: 0 }),
      close: async () => {},
    },
  };
  local.follow([down], [down.registry]);
  const publishing = local.publish(say({ address: '10.0.0.1:80', waitMs: 200 }));
  await settle();
  context.clock.advance(200);
  t.deepEqual((await publishing).registries, [{ registry: 'down', state: 'pending', reason: '' }]);
  const asking = local.subscribe(ask({ waitMs: 300 }));
  context.clock.advance(300);
  t.like(await asking, { isKnown: false, endpoints: [] });
});

for (const [body, pattern] of [
  ['{', /no JSON/],
  ['[]', /JSON object/],
  ['{"address":"10.0.0.1:80"}', /service is missing/],
  ['{"service":"a b","address":"10.0.0.1:80"}', /service "a b"/],
  [`{"service":"${'x'.repeat(513)}","address":"10.0.0.1:80"}`, /no name of 1 to 512/],
  ['{"service":"a","address":"10.0.0.1"}', /address "10.0.0.1"/],
  ['{"service":"a","address":"10.0.0.1:0"}', /address/],
  ['{"service":"a","address":"10.0.0.1:80","weight":-1}', /weight -1/],
  ['{"service":"a","address":"10.0.0.1:80","wieght":1}', /key "wieght" is unknown/],
  ['{"service":"a","address":"10.0.0.1:80","metadata":{"a":1}}', /metadata/],
  [`{"service":"a","address":"10.0.0.1:80","metadata":{"a":"${'x'.repeat(16_384)}"}}`, /16384 characters/],
  ['{"service":"a","address":"10.0.0.1:80","ttlMs":1e12}', /ttlMs 1000000000000/],
  ['{"service":"a","address":"10.0.0.1:80","protocol":"a\\nb"}', /protocol/],
] as const) {
  test(`a request is refused with the reason: ${body.slice(0, 70)}`, (t) => {
    const error = t.throws(() => parsePublish(body), { code: 'ERR_REGISTRY_REQUEST' });
    t.regex(error?.message ?? '', pattern);
    t.true((error?.message ?? '').length < 500);
  });
}
