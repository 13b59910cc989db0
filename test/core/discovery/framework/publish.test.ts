import test from 'ava';
import { dialects } from '../../../../src/core/discovery/framework/dialects.ts';
import { endpoint } from '../../cluster/support.ts';
import { Follower, settle } from '../support.ts';
import { setUp } from './support.ts';

const at = (host: string, facts = {}) => ({
  service: 'a.B:1.0.0',
  endpoint: endpoint(`${host}:20880`, facts),
});

test('what is published at both levels is found at both, and gone when it is withdrawn', async (t) => {
  const { sources, registry, pass } = setUp({ application: 'shop', allowEmpty: true });
  const published = registry.publish?.(at('10.0.0.1', { metadata: { timeout: '500' }, zone: 'east' }));
  await published?.ready;
  t.deepEqual(sources.list('mapping', 'a.B'), ['shop']);
  t.is(sources.list('interfaces', 'a.B').length, 1);
  t.is(sources.list('instances', 'shop').length, 1);
  for (const step of ['FORCE_APPLICATION', 'FORCE_INTERFACE'] as const) {
    const other = setUp({ migration: { step } }, () => sources);
    const follower = new Follower();
    other.registry.subscribe('a.B:1.0.0', follower.listen);
    await other.pass();
    const found = follower.get('10.0.0.1:20880');
    t.is(found?.weight, 100, step);
    t.is(found?.zone, 'east');
    t.is(found?.metadata['timeout'], '500');
    t.is(found?.metadata['version'], '1.0.0');
  }
  await published?.withdraw();
  await pass();
  t.is(sources.list('interfaces', 'a.B').length, 0);
  t.is(sources.list('instances', 'shop').length, 0);
});

test('saying the same again changes nothing, saying something else replaces it', async (t) => {
  const { sources, registry } = setUp({ application: 'shop' });
  const first = registry.publish?.(at('10.0.0.1'));
  await first?.ready;
  const { puts } = sources;
  t.is(registry.publish?.(at('10.0.0.1')), first);
  await settle();
  t.is(sources.puts, puts);
  const second = registry.publish?.(at('10.0.0.1', { weight: 7 }));
  await second?.ready;
  const urls = sources.list('interfaces', 'a.B') as string[];
  t.is(urls.length, 1);
  t.regex(urls[0] ?? '', /weight=7/);
  await first?.withdraw();
  t.is(sources.list('interfaces', 'a.B').length, 1, 'what was replaced has nothing to take back');
});

test('several services and protocols of one process are one instance, whose revision follows them', async (t) => {
  const { sources, registry } = setUp({ application: 'shop', publishAs: 'application' });
  const one = registry.publish?.(at('10.0.0.1'));
  const two = registry.publish?.({
    service: 'a.C',
    endpoint: endpoint('10.0.0.1:50051'),
    protocol: 'tri',
  });
  await two?.ready;
  const [only, ...more] = sources.list('instances', 'shop') as {
    revision: string;
    metadata: Record<string, string>;
  }[];
  t.is(more.length, 0);
  t.is(
    only?.metadata['dubbo.endpoints'],
    '[{"port":20880,"protocol":"dubbo"},{"port":50051,"protocol":"tri"}]',
  );
  await two?.withdraw();
  const [after] = sources.list('instances', 'shop') as { revision: string }[];
  t.not(after?.revision, only?.revision);
  await one?.withdraw();
  t.is(sources.list('instances', 'shop').length, 0);
  t.is(sources.list('interfaces', 'a.B').length, 0);
});

test('a registry that is down is tried with back-off, and gets everything when it is back', async (t) => {
  const { sources, registry, pass, logger } = setUp({ application: 'shop' });
  sources.outage = 'connection refused';
  const published = registry.publish?.(at('10.0.0.1'));
  await pass(0);
  t.is(registry.health().status, 'degraded');
  t.regex(registry.health().reason, /connection refused/);
  for (let i = 0; i < 10; i++) await pass(5000);
  t.is(logger.lines.filter(({ level }) => level === 'warn').length, 1);
  sources.outage = '';
  await pass(30_000);
  await published?.ready;
  t.is(sources.list('instances', 'shop').length, 1);
  t.is(registry.health().status, 'ok');
});

test('what a lost session took away is put back', async (t) => {
  const { sources, registry } = setUp({ application: 'shop' });
  await registry.publish?.(at('10.0.0.1')).ready;
  const [before] = sources.list('interfaces', 'a.B');
  sources.expire();
  t.is(sources.list('instances', 'shop').length, 0);
  await settle();
  t.is(sources.list('instances', 'shop').length, 1);
  t.deepEqual(sources.list('interfaces', 'a.B'), [before], 'as it was: no new time, no new revision');
});

test('closing withdraws, and does not wait for a registry that does not answer', async (t) => {
  const { sources, registry, pass } = setUp({ application: 'shop' });
  await registry.publish?.(at('10.0.0.1')).ready;
  await registry.close();
  t.is(sources.list('instances', 'shop').length, 0);
  t.is(sources.listeners, 0);

  const silent = setUp({ application: 'shop' }, (all) =>
    Object.assign(Object.create(all), {
      target: { ...all.target, removeInstance: () => new Promise<void>(() => undefined) },
    }),
  );
  await silent.registry.publish?.(at('10.0.0.1')).ready;
  const closing = silent.registry.close();
  await silent.pass(3000);
  await closing;
  t.is(silent.clock.pendingTimers, 0);
  t.is(await Promise.race([pass(0).then(() => 'others go on')]), 'others go on');
});

test('a publication that is withdrawn before the registry had it says so', async (t) => {
  const { sources, registry, pass } = setUp({ application: 'shop' });
  sources.outage = 'down';
  const published = registry.publish?.(at('10.0.0.1'));
  await pass(0);
  const failed = t.throwsAsync(published?.ready ?? Promise.resolve(), { code: 'ERR_REGISTRY_CLOSED' });
  await published?.withdraw();
  await failed;
});

test('what could never be published is refused', (t) => {
  const { registry } = setUp({ application: 'shop' });
  const refused = (service: string, address: string): void => {
    t.throws(() => registry.publish?.({ service, endpoint: endpoint(address) }), {
      code: 'ERR_REGISTRY_PUBLISH',
    });
  };
  refused('a b', '10.0.0.1:1');
  refused('*/a.B', '10.0.0.1:1');
  refused('a.B', 'unix:/x');
  refused('a.B', '10.0.0.1:0');
  const nameless = setUp({ publishAs: 'application' }).registry;
  t.throws(() => nameless.publish?.(at('10.0.0.1')), { code: 'ERR_REGISTRY_PUBLISH' });
});

test('the instances of an application can be published as they are', async (t) => {
  const { sources, registry, pass } = setUp();
  await registry.publish?.({
    service: 'application:web',
    endpoint: endpoint('10.0.0.1:8080', { metadata: { version: '2' } }),
  }).ready;
  const follower = new Follower();
  registry.subscribe('application:web', follower.listen);
  await pass();
  t.is(follower.get('10.0.0.1:8080')?.metadata['version'], '2');
  t.is(sources.list('instances', 'web').length, 1);
});

test("a Dubbo URL says what Dubbo's consumers read", (t) => {
  const text = dialects.dubbo.format({
    protocol: 'dubbo',
    host: '10.0.0.1',
    port: 20880,
    service: { group: 'g', interfaceName: 'a.B', version: '1.0.0', protocol: '', isApplication: false },
    application: 'shop',
    weight: 100,
    parameters: { timestamp: '5' },
  });
  t.is(
    text,
    'dubbo://10.0.0.1:20880/a.B?anyhost=true&application=shop&category=providers&dubbo=2.0.2&dynamic=true&group=g&interface=a.B&side=provider&timestamp=5&version=1.0.0',
  );
});
