import test from 'ava';
import { Follower } from '../support.ts';
import { setUp, url } from './support.ts';

const force = { migration: { step: 'FORCE_INTERFACE' as const } };

test('a process that starts again says a new URL before the old one goes, and keeps its host', async (t) => {
  const { sources, registry, pass } = setUp(force);
  const [before, after] = [url('10.0.0.1', '&timestamp=1'), url('10.0.0.1', '&timestamp=2&weight=50')];
  sources.put('interfaces', 'a.B', before, before);
  sources.put('interfaces', 'a.B', url('10.0.0.2'), url('10.0.0.2'));
  const follower = new Follower();
  registry.subscribe('a.B', follower.listen);
  await pass();
  sources.put('interfaces', 'a.B', after, after);
  await pass();
  t.is(follower.get('10.0.0.1:20880')?.weight, 50);
  sources.remove('interfaces', 'a.B', before);
  await pass();
  t.deepEqual(follower.addresses, ['10.0.0.1:20880', '10.0.0.2:20880']);
  sources.remove('interfaces', 'a.B', after);
  await pass();
  t.deepEqual(follower.addresses, ['10.0.0.2:20880']);
});

test('whole lists lead to the same as changes, duplicates and overlaps included', async (t) => {
  const { sources, registry, pass } = setUp(force);
  const follower = new Follower();
  registry.subscribe('a.B', follower.listen);
  const list = (...urls: string[]): Map<string, string> => new Map(urls.map((each, i) => [`${i}`, each]));
  const [one, again] = [url('10.0.0.1'), url('10.0.0.1', '&timestamp=2')];
  for (const [urls, addresses] of [
    [[one], ['10.0.0.1:20880']],
    [
      [one, one, url('10.0.0.2')],
      ['10.0.0.1:20880', '10.0.0.2:20880'],
    ],
    [
      [one, again, url('10.0.0.2')],
      ['10.0.0.1:20880', '10.0.0.2:20880'],
    ],
    [
      [again, url('10.0.0.3')],
      ['10.0.0.1:20880', '10.0.0.3:20880'],
    ],
    [[], ['10.0.0.1:20880', '10.0.0.3:20880']],
    [[url('10.0.0.4')], ['10.0.0.4:20880']],
  ] as const) {
    sources.replace('interfaces', 'a.B', list(...urls));
    await pass();
    t.deepEqual(follower.addresses, addresses);
  }
});

test('a start that only changes its time and pid is no change', async (t) => {
  const { sources, registry, pass } = setUp(force);
  sources.put(
    'interfaces',
    'a.B',
    url('10.0.0.1', '&timestamp=1&pid=1'),
    url('10.0.0.1', '&timestamp=1&pid=1'),
  );
  const follower = new Follower();
  registry.subscribe('a.B', follower.listen);
  await pass();
  sources.replace('interfaces', 'a.B', new Map([['x', url('10.0.0.1', '&timestamp=2&pid=2')]]));
  await pass();
  t.is(follower.deltas.length, 1);
});

test('garbage among providers costs only itself and is said', async (t) => {
  const { sources, registry, pass } = setUp(force);
  sources.replace(
    'interfaces',
    'a.B',
    new Map(
      ['', 'dubbo://', 'consumer://1/a.B', url('10.0.0.1'), url('no host'), url('h:1:2')].map((each, i) => [
        `${i}`,
        each,
      ]),
    ),
  );
  const follower = new Follower();
  registry.subscribe('a.B', follower.listen);
  await pass();
  t.deepEqual(follower.addresses, ['10.0.0.1:20880']);
  t.regex(registry.health().reason, /provider URLs cannot be read/);
  t.is(registry.health().status, 'degraded');
});

test("SOFARPC's providers are read in their own dialect", async (t) => {
  const { sources, registry, pass } = setUp({ ...force, dialect: 'sofa' });
  const text = 'bolt://10.0.0.1:12200?version=1.0&uniqueId=&weight=100&appName=shop';
  sources.put('interfaces', 'a.B', text, text);
  const follower = new Follower();
  registry.subscribe('a.B:1.0', follower.listen);
  await pass();
  t.deepEqual(follower.addresses, ['10.0.0.1:12200']);
});

test('a name that no service can have is refused', (t) => {
  const { registry } = setUp();
  t.throws(() => registry.subscribe('a b', () => undefined), { code: 'ERR_OPTION_INVALID' });
});
