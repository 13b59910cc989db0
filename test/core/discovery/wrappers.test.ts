import test from 'ava';
import type { Registry, RegistryDelta } from '../../../src/core/contract/registry.ts';
import { LastGoodRegistry, ShardedRegistry } from '../../../src/core/discovery/index.ts';
import { FakeClock } from '../../../src/testing/index.ts';
import { endpoint, endpoints } from '../cluster/support.ts';
import { Follower, settle, testContext } from './support.ts';

/** Says what the test tells it to. */
class Scripted implements Registry {
  readonly listeners = new Set<(delta: RegistryDelta) => void>();
  closed = false;

  subscribe(_service: string, onDelta: (delta: RegistryDelta) => void): () => void {
    this.listeners.add(onDelta);
    return () => this.listeners.delete(onDelta);
  }

  say(delta: Partial<RegistryDelta>): void {
    const whole = {
      service: 'users',
      version: 1,
      full: false,
      added: [],
      removed: [],
      changed: [],
      ...delta,
    };
    for (const listener of this.listeners) listener(whole);
  }

  health() {
    return { status: 'ok' as const, reason: '', sinceMs: 0 };
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

const path = '/state/last-good.json';

test('last good: a list outlives a restart while the registry says nothing', async (t) => {
  const context = testContext();
  const first = new Scripted();
  const one = new LastGoodRegistry(first, path, context);
  const before = new Follower();
  one.subscribe('users', before.listen);
  await settle();
  first.say({ full: true, added: endpoints(3, (i) => ({ weight: i + 1, metadata: { n: String(i) } })) });
  first.say({ version: 2, removed: ['10.0.0.0:80'], added: [endpoint('new.test:1')] });
  context.clock.advance(1000);
  await settle();
  await one.close();
  t.true(first.closed);

  const second = new Scripted();
  const two = new LastGoodRegistry(second, path, context);
  const after = new Follower();
  two.subscribe('users', after.listen);
  await settle();
  t.deepEqual(after.addresses, ['10.0.0.1:80', '10.0.0.2:80', 'new.test:1']);
  t.like(after.get('10.0.0.2:80'), { weight: 3, metadata: { n: '2' } });
  t.is(two.health().status, 'degraded');
  t.regex(two.health().reason, /last-good\.json/);
  second.say({ full: true, added: [endpoint('live.test:1')] });
  t.deepEqual(after.addresses, ['live.test:1']);
  t.is(two.health().status, 'ok');
});

test('last good: a registry that answers at once wins over the disk', async (t) => {
  const context = testContext();
  context.files.put(path, '{"services":{"users":["old.test:1"]}}');
  const inner = new Scripted();
  const registry = new LastGoodRegistry(inner, path, context);
  const follower = new Follower();
  registry.subscribe('users', follower.listen);
  inner.say({ full: true, added: [endpoint('live.test:1')] });
  await settle();
  t.deepEqual(follower.addresses, ['live.test:1']);
  t.is(follower.deltas.length, 1);
});

test('last good: closing writes what was still waiting; an empty list is not remembered', async (t) => {
  const context = testContext();
  const inner = new Scripted();
  const registry = new LastGoodRegistry(inner, path, context);
  registry.subscribe('users', () => {});
  inner.say({ full: true, added: [endpoint('a.test:1')] });
  inner.say({ version: 2, full: true });
  await registry.close();
  t.regex(context.files.texts.get(path) ?? '', /a\.test:1/);
  t.is(context.clock.pendingTimers, 0);
});

test('last good: a damaged file is ignored with a warning, a disk that cannot be written too', async (t) => {
  const context = testContext();
  context.files.put(path, '{"services": {"users": [');
  const inner = new Scripted();
  const registry = new LastGoodRegistry(inner, path, context);
  const follower = new Follower();
  registry.subscribe('users', follower.listen);
  await settle();
  t.is(follower.deltas.length, 0);
  context.files.writeText = async () => {
    throw new Error('ENOSPC');
  };
  inner.say({ full: true, added: [endpoint('a.test:1')] });
  context.clock.advance(1000);
  await settle();
  t.deepEqual(
    context.logger.lines.map((line) => line.message),
    ['last good list ignored', 'last good list not saved'],
  );
});

test('sharded: subscribers see their part and what changes in it', (t) => {
  const inner = new Scripted();
  const registry = new ShardedRegistry(
    inner,
    { clientKey: 'pod-1', size: { fraction: 0.5 } },
    new FakeClock(),
  );
  const follower = new Follower();
  const unsubscribe = registry.subscribe('users', follower.listen);
  inner.say({ full: true, added: endpoints(40) });
  t.is(follower.addresses.length, 20);
  const member = follower.addresses[0] as string;
  const stranger = endpoints(40).find((each) => !follower.addresses.includes(each.address))
    ?.address as string;
  inner.say({ version: 2, changed: [endpoint(stranger, { zone: 'z' })] });
  t.is(follower.deltas.length, 1, 'what is not in the part is not passed on');
  inner.say({ version: 3, changed: [endpoint(member, { zone: 'z' })] });
  t.is(follower.get(member)?.zone, 'z');
  inner.say({ version: 4, removed: [member] });
  t.is(follower.addresses.length, 20);
  t.false(follower.addresses.includes(member));

  const ill = follower.addresses[3] as string;
  registry.setHealth('users', ill, false);
  t.is(follower.addresses.length, 21, 'a stand-in joins');
  registry.setHealth('users', ill, true);
  t.is(follower.addresses.length, 20);
  unsubscribe();
  registry.setHealth('users', ill, false);
  t.is(follower.addresses.length, 20);
});

test('sharded: a full list again is passed on as a full part', (t) => {
  const inner = new Scripted();
  const registry = new ShardedRegistry(inner, { clientKey: 'pod-1', size: { count: 5 } }, new FakeClock());
  const follower = new Follower();
  registry.subscribe('users', follower.listen);
  inner.say({ full: true, added: endpoints(10) });
  inner.say({ full: true, version: 2, added: endpoints(30).slice(5) });
  t.is(follower.addresses.length, 5);
  t.deepEqual(
    follower.deltas.map((delta) => delta.full),
    [true, true],
  );
});

test('sharded: a stand-in that fails makes room for the next and may return after a minute', (t) => {
  const inner = new Scripted();
  const clock = new FakeClock();
  const registry = new ShardedRegistry(inner, { clientKey: 'pod-1', size: { count: 2 } }, clock);
  const follower = new Follower();
  const unsubscribe = registry.subscribe('users', follower.listen);
  inner.say({ full: true, added: endpoints(10) });
  const [first] = follower.addresses as [string];
  const members = [...follower.addresses];
  registry.setHealth('users', first, false);
  const spare = follower.addresses.find((address) => !members.includes(address)) as string;
  registry.setHealth('users', spare, false);
  t.false(follower.addresses.includes(spare));
  t.is(follower.addresses.length, 3, 'the next one stands in');
  t.true(follower.addresses.includes(first), 'a member stays, so that checks see it return');
  clock.advance(59_999);
  t.false(follower.addresses.includes(spare));
  clock.advance(1);
  t.true(follower.addresses.includes(spare), 'the better rank is back');
  t.is(follower.addresses.length, 3);
  registry.setHealth('users', spare, false);
  unsubscribe();
  t.is(clock.pendingTimers, 0);
});
