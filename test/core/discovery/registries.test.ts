import test from 'ava';
import type { Registry, RegistryDefinition } from '../../../src/core/contract/registry.ts';
import { dnsRegistry, fileRegistry, staticRegistry } from '../../../src/core/discovery/index.ts';
import { Follower, settle, type TestContext, testContext } from './support.ts';

const create = <C>(definition: RegistryDefinition<C>, given: unknown, context: TestContext): Registry => {
  const result = definition.config['~standard'].validate(given);
  if (result instanceof Promise || result.issues !== undefined) throw new Error('refused');
  return definition.create(result.value, context);
};

const issues = (definition: RegistryDefinition<never>, given: unknown): string[] => {
  const result = definition.config['~standard'].validate(given);
  if (result instanceof Promise) throw new Error('asynchronous');
  return (result.issues ?? []).map((issue) => issue.message);
};

test('static: one full list, for every service or by name', (t) => {
  const registry = create(
    staticRegistry,
    { endpoints: ['a.test:1', { address: '[::1]:2', weight: 3 }], services: { other: ['unix:/run/x.sock'] } },
    testContext(),
  );
  const users = new Follower();
  registry.subscribe('users', users.listen);
  t.deepEqual(users.addresses, ['[::1]:2', 'a.test:1']);
  t.is(users.get('[::1]:2')?.weight, 3);
  const other = new Follower();
  registry.subscribe('other', other.listen);
  t.deepEqual(other.addresses, ['unix:/run/x.sock']);
  const inherited = new Follower();
  registry.subscribe('constructor', inherited.listen);
  t.deepEqual(inherited.addresses, users.addresses);
});

test('static: bad addresses and unknown keys are refused', (t) => {
  t.is(issues(staticRegistry as never, { endpoints: ['no-port'] }).length, 1);
  t.is(issues(staticRegistry as never, { endpoints: ['a:0'] }).length, 1);
  t.is(issues(staticRegistry as never, { endpoint: [] }).length, 1);
});

const path = '/etc/services.yaml';

test('file: YAML and JSON, then changes as deltas, debounced', async (t) => {
  const context = testContext();
  context.files.put(
    path,
    'services:\n  users:\n    - a.test:1\n    - { address: "b.test:1", zone: z, metadata: { v: "1" } }\n',
  );
  const registry = create(fileRegistry, { path }, context);
  const follower = new Follower();
  registry.subscribe('users', follower.listen);
  t.is(follower.deltas.length, 0);
  await settle();
  t.deepEqual(follower.addresses, ['a.test:1', 'b.test:1']);
  t.deepEqual(follower.get('b.test:1')?.metadata, { v: '1' });

  context.files.put(path, '{"services":{"users":["a.test:1",{"address":"b.test:1","weight":5},"c.test:1"]}}');
  await settle();
  context.clock.advance(99);
  t.is(follower.deltas.length, 1);
  context.clock.advance(1);
  t.is(follower.deltas.length, 2);
  t.like(follower.deltas[1], { full: false, removed: [] });
  t.deepEqual(follower.addresses, ['a.test:1', 'b.test:1', 'c.test:1']);
  t.is(follower.get('b.test:1')?.weight, 5);
  t.is(registry.health().status, 'ok');
  await registry.close();
  t.is(context.files.watching(path), 0);
  t.is(context.clock.pendingTimers, 0);
});

test('file: a burst of changes makes one delta, at the latest after a second', async (t) => {
  const context = testContext();
  context.files.put(path, 'users: [a.test:1]');
  const registry = create(fileRegistry, { path }, context);
  const follower = new Follower();
  registry.subscribe('users', follower.listen);
  await settle();
  for (let i = 0; i < 19; i++) {
    context.files.put(path, `users: [a.test:1, n${i}.test:1]`);
    await settle();
    context.clock.advance(60);
  }
  t.is(follower.deltas.length, 2);
  context.clock.advance(1000);
  t.is(follower.deltas.length, 3);
  t.deepEqual(follower.addresses, ['a.test:1', 'n18.test:1']);
});

for (const [what, text, reason] of [
  ['broken YAML', 'users: [a.test:1', /./],
  ['a list instead of a map', '[1, 2]', /must map service names/],
  ['an empty file', '', /must map service names/],
  ['a bad address', 'users: ["a.test:1", "nonsense"]', /services\.users\[1\]/],
  ['an unknown key', 'users: [{ address: "a.test:1", wieght: 2 }]', /wieght/],
  ['a service that is no list', 'users: { a: 1 }', /services\.users must be a list/],
  ['a missing service', 'orders: ["a.test:1"]', /does not list this service/],
  ['an empty list', 'users: []', /allowEmpty/],
  ['no file', null, /ENOENT/],
] as const) {
  test(`file: ${what} keeps the last good list, says why once, and recovers`, async (t) => {
    const context = testContext();
    context.files.put(path, 'users: [good.test:1]');
    const registry = create(fileRegistry, { path }, context);
    const follower = new Follower();
    registry.subscribe('users', follower.listen);
    await settle();
    for (let i = 0; i < 3; i++) {
      context.files.put(path, text);
      await settle();
      context.clock.advance(5000);
    }
    t.deepEqual(follower.addresses, ['good.test:1']);
    t.is(follower.deltas.length, 1);
    t.is(registry.health().status, 'degraded');
    t.regex(registry.health().reason, reason);
    t.is(context.logger.lines.filter((line) => line.level === 'warn').length, 1);
    context.files.put(path, 'users: [good.test:1, new.test:1]');
    await settle();
    context.clock.advance(100);
    t.deepEqual(follower.addresses, ['good.test:1', 'new.test:1']);
    t.is(registry.health().status, 'ok');
  });
}

test('file: without any good list health is failed; a later subscriber gets the last good one', async (t) => {
  const context = testContext();
  const registry = create(fileRegistry, { path }, context);
  const follower = new Follower();
  registry.subscribe('users', follower.listen);
  await settle();
  t.is(registry.health().status, 'failed');
  context.files.put(path, 'users: [a.test:1]\norders: [o.test:1]');
  await settle();
  t.deepEqual(follower.addresses, ['a.test:1']);
  context.files.put(path, '{');
  await settle();
  const late = new Follower();
  registry.subscribe('orders', late.listen);
  t.deepEqual(late.addresses, ['o.test:1']);
  t.is(registry.health().status, 'degraded');
});

test('file: __proto__ and alias bombs do no harm', async (t) => {
  const context = testContext();
  context.files.put(
    path,
    'users: [{ address: "a.test:1", metadata: { __proto__: "x", ok: "1" } }]\n__proto__: ["b.test:1"]',
  );
  const registry = create(fileRegistry, { path }, context);
  const follower = new Follower();
  registry.subscribe('users', follower.listen);
  await settle();
  t.deepEqual(Object.keys(follower.get('a.test:1')?.metadata ?? {}), ['ok']);
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 12; i++) {
    const before = String.fromCharCode(96 + i);
    bomb.push(
      `${String.fromCharCode(97 + i)}: &${String.fromCharCode(97 + i)} [${`*${before}, `.repeat(9)}*${before}]`,
    );
  }
  context.files.put(path, bomb.join('\n'));
  await settle();
  t.is(registry.health().status, 'degraded');
});

test('file: an unsubscribed service gets nothing more; allowEmpty takes an empty list', async (t) => {
  const context = testContext();
  context.files.put(path, 'users: [a.test:1]');
  const registry = create(fileRegistry, { path, allowEmpty: true }, context);
  const follower = new Follower();
  const other = new Follower();
  const unsubscribe = registry.subscribe('users', follower.listen);
  registry.subscribe('users', other.listen);
  await settle();
  unsubscribe();
  context.files.put(path, 'users: []');
  await settle();
  context.clock.advance(100);
  t.deepEqual(follower.addresses, ['a.test:1']);
  t.deepEqual(other.addresses, []);
});

test('dns: both families become endpoints and the TTL is honoured within its bounds', async (t) => {
  const context = testContext();
  context.resolver.answers.set('users.test', ['10.0.0.1', '2001:db8::1']);
  const registry = create(dnsRegistry, { minTtlMs: 5000, maxTtlMs: 60_000 }, context);
  const follower = new Follower();
  registry.subscribe('users.test:8080', follower.listen);
  await settle();
  t.deepEqual(follower.addresses, ['10.0.0.1:8080', '[2001:db8::1]:8080']);
  t.deepEqual(context.resolver.asked, ['users.test auto']);

  for (const [ttlSeconds, waitMs] of [
    [60, 60_000],
    [30, 30_000],
    [0, 5000],
    [86_400, 60_000],
  ] as const) {
    context.resolver.ttlSeconds = ttlSeconds;
    context.resolver.asked = [];
    context.clock.advance(60_000);
    await settle();
    t.is(context.resolver.asked.length, 1, 'refreshed once');
    context.clock.advance(waitMs * 0.9 - 1);
    await settle();
    t.is(context.resolver.asked.length, 1, `ttl ${ttlSeconds}: not before nine tenths`);
    context.clock.advance(waitMs * 0.1 + 1);
    await settle();
    t.is(context.resolver.asked.length, 2, `ttl ${ttlSeconds}: then again`);
  }
  await registry.close();
  t.is(context.clock.pendingTimers, 0);
});

test('dns: a negative answer, a failure and an empty answer keep the list and back off', async (t) => {
  const context = testContext();
  context.resolver.answers.set('users.test', ['10.0.0.1']);
  const registry = create(dnsRegistry, { port: 80, backoffBaseMs: 1000, backoffMaxMs: 8000 }, context);
  const follower = new Follower();
  registry.subscribe('users.test', follower.listen);
  await settle();
  for (const answer of [
    Object.assign(new Error('no'), { code: 'ENOTFOUND' }),
    Object.assign(new Error('no'), { code: 'ESERVFAIL' }),
    [],
  ]) {
    context.resolver.answers.set('users.test', answer);
    context.clock.advance(60_000);
    await settle();
    t.is(registry.health().status, 'degraded');
    t.regex(registry.health().reason, answer instanceof Error ? /ENOTFOUND|ESERVFAIL/ : /empty/);
    t.deepEqual(follower.addresses, ['10.0.0.1:80']);
  }
  context.resolver.asked = [];
  for (let i = 0; i < 80; i++) {
    context.clock.advance(1000);
    await settle();
  }
  t.true(
    context.resolver.asked.length >= 9 && context.resolver.asked.length <= 22,
    `${context.resolver.asked.length}`,
  );
  context.resolver.answers.set('users.test', ['10.0.0.2', '10.0.0.1']);
  context.clock.advance(8000);
  await settle();
  context.clock.advance(100);
  t.deepEqual(follower.addresses, ['10.0.0.1:80', '10.0.0.2:80']);
  t.is(registry.health().status, 'ok');
});

test('dns: several names, a literal address and one name that fails', async (t) => {
  const context = testContext();
  context.resolver.answers.set('a.test', ['10.0.0.1']);
  context.resolver.answers.set('b.test', ['10.0.0.1', '10.0.0.2']);
  const names = ['a.test:80', 'b.test:80', '127.0.0.1:9', '[::1]:9'];
  const registry = create(dnsRegistry, { names }, context);
  const follower = new Follower();
  registry.subscribe('users', follower.listen);
  await settle();
  t.deepEqual(follower.addresses, ['10.0.0.1:80', '10.0.0.2:80', '127.0.0.1:9', '[::1]:9']);
  context.resolver.answers.delete('b.test');
  context.clock.advance(60_000);
  await settle();
  t.is(follower.addresses.length, 4, 'half an answer is no answer');
  t.is(context.logger.lines.filter((line) => line.message.includes('twice')).length, 0);
});

test('dns: the order of the answer changes nothing', async (t) => {
  const context = testContext();
  context.resolver.answers.set('users.test', ['10.0.0.1', '10.0.0.2']);
  const registry = create(dnsRegistry, {}, context);
  const follower = new Follower();
  registry.subscribe('users.test:1', follower.listen);
  await settle();
  context.resolver.answers.set('users.test', ['10.0.0.2', '10.0.0.1']);
  context.clock.advance(60_000);
  await settle();
  context.clock.advance(100);
  t.is(follower.deltas.length, 1);
});

test('dns: SRV brings ports, weights and priorities', async (t) => {
  const context = testContext();
  context.resolver.answers.set('h1.test', ['10.0.0.1']);
  context.resolver.answers.set('h2.test', ['10.0.0.2']);
  context.resolver.srv.set('_http._tcp.users.test', [
    { host: 'h1.test.', port: 8001, weight: 0, priority: 10 },
    { host: 'h2.test', port: 8002, weight: 7, priority: 20 },
    { host: '.', port: 0, weight: 0, priority: 10 },
  ]);
  const registry = create(dnsRegistry, { srv: true }, context);
  const follower = new Follower();
  registry.subscribe('_http._tcp.users.test', follower.listen);
  await settle();
  t.deepEqual(follower.addresses, ['10.0.0.1:8001', '10.0.0.2:8002']);
  t.like(follower.get('10.0.0.1:8001'), { weight: 1, priority: 0 });
  t.like(follower.get('10.0.0.2:8002'), { weight: 7, priority: 10 });
});

test('dns: an SRV record that leads nowhere costs its host alone, a name server that fails keeps all', async (t) => {
  const context = testContext();
  const { answers, srv } = context.resolver;
  const failure = (code: string): Error => Object.assign(new Error(code), { code });
  answers.set('h1.test', ['10.0.0.1']);
  answers.set('h2.test', ['10.0.0.2']);
  const record = (host: string) => ({ host, port: 80, weight: 1, priority: 0 });
  srv.set('_http._tcp.users.test', [record('h1.test'), record('h2.test')]);
  const registry = create(dnsRegistry, { srv: true }, context);
  const follower = new Follower();
  registry.subscribe('_http._tcp.users.test', follower.listen);
  const pass = async (): Promise<void> => {
    await settle();
    context.clock.advance(61_000);
    await settle();
    context.clock.advance(1000);
  };
  await pass();
  t.is(follower.addresses.length, 2);
  answers.set('h2.test', failure('ETIMEOUT'));
  await pass();
  t.is(follower.addresses.length, 2);
  t.regex(registry.health().reason, /ETIMEOUT/);
  answers.set('h2.test', failure('ENOTFOUND'));
  await pass();
  t.deepEqual(follower.addresses, ['10.0.0.1:80']);
  t.is(registry.health().status, 'ok');
  answers.set('h1.test', failure('ENOTFOUND'));
  await pass();
  t.deepEqual(follower.addresses, ['10.0.0.1:80']);
  t.regex(registry.health().reason, /ENOTFOUND/);
});

test('dns: a name without a port is refused when it is asked for, and an answer after the end changes nothing', async (t) => {
  const context = testContext();
  const registry = create(dnsRegistry, {}, context);
  t.throws(() => registry.subscribe('users.test', () => {}), { code: 'ERR_OPTION_INVALID' });
  context.resolver.answers.set('users.test', ['10.0.0.1']);
  const follower = new Follower();
  registry.subscribe('users.test:80', follower.listen)();
  await settle();
  t.is(follower.deltas.length, 0);
  t.is(context.clock.pendingTimers, 0);
});
