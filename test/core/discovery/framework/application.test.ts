import test from 'ava';
import { Follower } from '../support.ts';
import { instance, metadata, setUp } from './support.ts';

test('a service is found through its applications, their instances and what their revision provides', async (t) => {
  const { sources, registry, pass } = setUp();
  sources.put('mapping', 'a.B', 'shop', 'shop');
  sources.putMetadata(metadata('r1', { name: 'a.B', parameters: { timeout: '3000' } }, 'a.C'));
  sources.putInstance(instance('10.0.0.1', 'r1'));
  sources.putInstance(instance('10.0.0.2', 'r1', { zone: 'east', weight: '50' }));
  const follower = new Follower();
  registry.subscribe('a.B', follower.listen);
  await pass();
  t.deepEqual(follower.addresses, ['10.0.0.1:20880', '10.0.0.2:20880']);
  t.deepEqual(follower.get('10.0.0.1:20880'), {
    address: '10.0.0.1:20880',
    weight: 100,
    metadata: { timeout: '3000', interface: 'a.B', application: 'shop', protocol: 'dubbo' },
    zone: '',
    priority: 0,
    hostname: '',
  });
  t.is(follower.get('10.0.0.2:20880')?.zone, 'east');
  t.is(follower.get('10.0.0.2:20880')?.weight, 50);
  t.is(sources.fetches, 1, 'one revision is asked for once');
  t.is(registry.health().status, 'ok');
  await registry.close();
  t.true(sources.isClosed);
  t.is(sources.listeners, 0);
});

test('an application is watched once for all its services, and let go with the last', async (t) => {
  const { sources, registry, pass } = setUp({ migration: { step: 'FORCE_APPLICATION' } });
  const names = Array.from({ length: 20 }, (_, i) => `a.S${i}`);
  for (const name of names) sources.put('mapping', name, 'shop', 'shop');
  sources.putMetadata(metadata('r1', ...names));
  sources.putInstance(instance('10.0.0.1', 'r1'));
  const followers = names.map((name) => {
    const follower = new Follower();
    return { follower, stop: registry.subscribe(name, follower.listen) };
  });
  await pass();
  t.true(followers.every(({ follower }) => follower.addresses.length === 1));
  t.is(sources.watches('instances'), 1);
  t.is(sources.fetches, 1);
  sources.putInstance(instance('10.0.0.2', 'r1'));
  await pass();
  t.true(followers.every(({ follower }) => follower.addresses.length === 2 && follower.deltas.length === 2));
  for (const { stop } of followers) stop();
  t.is(sources.watches(), 0);
});

test('group, version and protocol tell services apart; the port is that of the protocol', async (t) => {
  const { sources, registry, pass } = setUp();
  sources.put('mapping', 'a.B', 'shop', 'shop');
  sources.putMetadata(
    metadata(
      'r1',
      { name: 'a.B', version: '1.0.0' },
      { name: 'a.B', version: '1.0.0', protocol: 'tri' },
      { name: 'a.B', version: '2.0.0', group: 'g', port: 7000 },
    ),
  );
  sources.putInstance(instance('10.0.0.1', 'r1'));
  const addressesOf = async (service: string): Promise<string[]> => {
    const follower = new Follower();
    const stop = registry.subscribe(service, follower.listen);
    await pass();
    stop();
    return follower.addresses;
  };
  t.deepEqual(await addressesOf('a.B:1.0.0'), ['10.0.0.1:20880', '10.0.0.1:50051']);
  t.deepEqual(await addressesOf('a.B:1.0.0?protocol=tri'), ['10.0.0.1:50051']);
  t.deepEqual(await addressesOf('g/a.B:2.0.0'), ['10.0.0.1:7000']);
  t.deepEqual(await addressesOf('a.B'), []);
});

test('metadata that cannot be had keeps what is known, is asked for again with back-off, and is logged once', async (t) => {
  const { sources, registry, pass, logger, clock } = setUp();
  sources.put('mapping', 'a.B', 'shop', 'shop');
  sources.putMetadata(metadata('r1', 'a.B'));
  sources.putMetadata(metadata('r2', 'a.B', 'a.C'));
  sources.putInstance(instance('10.0.0.1', 'r1'));
  sources.putInstance(instance('10.0.0.2', 'r1'));
  const follower = new Follower();
  registry.subscribe('a.B', follower.listen);
  await pass();
  sources.metadataOutage = 'connection refused';
  sources.putInstance(instance('10.0.0.1', 'r2'));
  sources.putInstance(instance('10.0.0.3', 'r2'));
  await pass();
  t.deepEqual(
    follower.addresses,
    ['10.0.0.1:20880', '10.0.0.2:20880'],
    'a new one is not listed yet, an old one stays',
  );
  t.is(registry.health().status, 'degraded');
  t.regex(registry.health().reason, /metadata of revision r2: connection refused/);
  const asked = sources.fetches;
  for (let i = 0; i < 60; i++) await pass(1000);
  t.true(
    sources.fetches - asked >= 6 && sources.fetches - asked <= 16,
    `${sources.fetches - asked} tries a minute`,
  );
  t.is(logger.lines.filter(({ level }) => level === 'warn').length, 1);
  sources.metadataOutage = '';
  clock.advance(10_000);
  await pass();
  t.deepEqual(follower.addresses, ['10.0.0.1:20880', '10.0.0.2:20880', '10.0.0.3:20880']);
  t.is(registry.health().status, 'ok');
});

test('an unknown revision, an answer about another one and one that never comes are told apart', async (t) => {
  for (const [answer, reason] of [
    [() => Promise.resolve(null), /nobody knows this revision/],
    [() => Promise.resolve(metadata('r9', 'a.B')), /about revision r9/],
    [() => new Promise<null>(() => undefined), /no answer in 15000 ms/],
  ] as const) {
    const { sources, registry, pass } = setUp({}, (all) =>
      Object.assign(Object.create(all), { metadata: { fetch: answer }, interfaces: null }),
    );
    sources.put('mapping', 'a.B', 'shop', 'shop');
    sources.putInstance(instance('10.0.0.1', 'r1'));
    const follower = new Follower();
    registry.subscribe('a.B', follower.listen);
    await pass();
    await pass(16_000);
    t.is(follower.deltas.length, 0);
    t.is(registry.health().status, 'failed');
    t.regex(registry.health().reason, reason);
  }
});

test('a roll-back to a revision that was known needs no question', async (t) => {
  const { sources, registry, pass } = setUp();
  sources.put('mapping', 'a.B', 'shop', 'shop');
  for (const revision of ['r1', 'r2']) sources.putMetadata(metadata(revision, 'a.B'));
  const follower = new Follower();
  registry.subscribe('a.B', follower.listen);
  for (const revision of ['r1', 'r2', 'r1', 'r2']) {
    sources.putInstance(instance('10.0.0.1', revision));
    await pass();
  }
  t.is(sources.fetches, 2);
  t.deepEqual(follower.addresses, ['10.0.0.1:20880']);
});

test('an application that goes on without a service leaves its list, an application that vanishes does not', async (t) => {
  const { sources, registry, pass } = setUp();
  sources.put('mapping', 'a.B', 'shop', 'shop');
  sources.putMetadata(metadata('r1', 'a.B'));
  sources.putMetadata(metadata('r2', 'a.C'));
  sources.putInstance(instance('10.0.0.1', 'r1'));
  const follower = new Follower();
  registry.subscribe('a.B', follower.listen);
  await pass();
  sources.remove('instances', 'shop', '10.0.0.1:20880');
  await pass();
  t.deepEqual(follower.addresses, ['10.0.0.1:20880']);
  t.regex(registry.health().reason, /lists no host; the last 1 go on serving/);
  sources.putInstance(instance('10.0.0.2', 'r1'));
  await pass();
  t.deepEqual(follower.addresses, ['10.0.0.2:20880']);
  t.is(registry.health().status, 'ok');
  sources.putInstance(instance('10.0.0.2', 'r2'));
  await pass();
  t.deepEqual(follower.addresses, []);
});

test('two applications provide one service; what one of them leaves the other keeps', async (t) => {
  const { sources, registry, pass } = setUp();
  sources.put('mapping', 'a.B', 'shop', 'shop');
  sources.putMetadata(metadata('r1', 'a.B'));
  sources.putMetadata({ ...metadata('r1', 'a.B'), application: 'mall' });
  sources.putInstance(instance('10.0.0.1', 'r1'));
  const follower = new Follower();
  registry.subscribe('a.B', follower.listen);
  await pass();
  sources.putInstance({ ...instance('10.0.0.1', 'r1'), application: 'mall' });
  sources.putInstance({ ...instance('10.0.0.2', 'r1'), application: 'mall' });
  sources.put('mapping', 'a.B', 'mall', 'mall');
  await pass();
  t.deepEqual(follower.addresses, ['10.0.0.1:20880', '10.0.0.2:20880']);
  sources.remove('instances', 'shop', '10.0.0.1:20880');
  await pass();
  t.deepEqual(follower.addresses, ['10.0.0.1:20880', '10.0.0.2:20880']);
  sources.remove('instances', 'mall', '10.0.0.1:20880');
  await pass();
  t.deepEqual(follower.addresses, ['10.0.0.2:20880']);
});

test('the instances of an application are a service of their own', async (t) => {
  const { sources, registry, pass } = setUp();
  sources.putInstance({ ...instance('10.0.0.1', ''), metadata: { version: '2' } });
  sources.putInstance({ ...instance('10.0.0.2', ''), isEnabled: false });
  const follower = new Follower();
  registry.subscribe('application:shop', follower.listen);
  await pass();
  t.is(follower.get('10.0.0.1:20880')?.metadata['version'], '2');
  t.is(follower.get('10.0.0.2:20880')?.weight, 0);
  t.is(sources.fetches, 0);
});

test('a registry that is cut off keeps every list, says why once, and takes up what it missed', async (t) => {
  const { sources, registry, pass, logger, clock } = setUp();
  sources.put('mapping', 'a.B', 'shop', 'shop');
  sources.putMetadata(metadata('r1', 'a.B'));
  sources.putInstance(instance('10.0.0.1', 'r1'));
  const follower = new Follower();
  registry.subscribe('a.B', follower.listen);
  await pass();
  for (let i = 0; i < 5; i++) sources.cutOff('session expired');
  sources.putInstance(instance('10.0.0.2', 'r1'));
  clock.wallMs -= 86_400_000;
  await pass();
  t.deepEqual(follower.addresses, ['10.0.0.1:20880']);
  t.is(registry.health().status, 'degraded');
  t.regex(registry.health().reason, /session expired/);
  t.is(logger.lines.filter(({ level }) => level === 'warn').length, 1);
  clock.wallMs += 2 * 86_400_000;
  sources.reconnect();
  await pass();
  t.deepEqual(follower.addresses, ['10.0.0.1:20880', '10.0.0.2:20880']);
  t.is(registry.health().status, 'ok');
});
