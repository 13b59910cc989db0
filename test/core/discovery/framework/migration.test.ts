import test from 'ava';
import type { Endpoint } from '../../../../src/core/contract/cluster.ts';
import { parseMigrationRule, usualStance } from '../../../../src/core/discovery/dubbo/migration-rule.ts';
import { parseServiceName } from '../../../../src/core/discovery/dubbo/service-name.ts';
import { shareCalls } from '../../../../src/core/discovery/framework/shared-list.ts';
import { endpoint } from '../../cluster/support.ts';
import { Follower } from '../support.ts';
import { instance, metadata, type Setup, setUp, url } from './support.ts';

const rule = (setup: Setup, text: string): void => setup.sources.put('rules', 'me', 'rule', text);

/** Interface level: .1 and .2; application level: .2 and .3. */
function bothLevels(setup: Setup): Follower {
  const { sources, registry } = setup;
  for (const host of ['10.0.0.1', '10.0.0.2']) sources.put('interfaces', 'a.B', url(host), url(host));
  sources.put('mapping', 'a.B', 'shop', 'shop');
  sources.putMetadata(metadata('r1', 'a.B'));
  for (const host of ['10.0.0.2', '10.0.0.3']) sources.putInstance(instance(host, 'r1'));
  const follower = new Follower();
  registry.subscribe('a.B', follower.listen);
  return follower;
}

const interfaceHosts = ['10.0.0.1:20880', '10.0.0.2:20880'];
const applicationHosts = ['10.0.0.2:20880', '10.0.0.3:20880'];

test('APPLICATION_FIRST reads both levels and prefers the application level', async (t) => {
  const setup = setUp({ application: 'me' });
  const follower = bothLevels(setup);
  await setup.pass();
  t.deepEqual(follower.addresses, applicationHosts);
  t.is(setup.sources.watches('interfaces'), 1);
});

test('APPLICATION_FIRST goes back to the interface level while the application level has too few hosts', async (t) => {
  const setup = setUp({ application: 'me', migration: { threshold: 0.8 } });
  const follower = bothLevels(setup);
  await setup.pass();
  t.deepEqual(follower.addresses, applicationHosts);
  setup.sources.remove('instances', 'shop', '10.0.0.3:20880');
  await setup.pass();
  t.deepEqual(follower.addresses, interfaceHosts);
  setup.sources.putInstance(instance('10.0.0.4', 'r1'));
  await setup.pass();
  t.deepEqual(follower.addresses, ['10.0.0.2:20880', '10.0.0.4:20880']);
});

test('a host that both levels have is never away during a switch', async (t) => {
  const setup = setUp({ application: 'me' });
  const follower = bothLevels(setup);
  await setup.pass();
  for (const step of ['FORCE_INTERFACE', 'APPLICATION_FIRST', 'FORCE_APPLICATION']) {
    rule(setup, `step: ${step}`);
    await setup.pass();
  }
  t.deepEqual(follower.addresses, applicationHosts);
  t.false(follower.deltas.some(({ removed }) => removed.includes('10.0.0.2:20880')));
  t.true(follower.deltas.slice(1).every(({ full }) => !full));
});

test('FORCE_INTERFACE and FORCE_APPLICATION let the other level go once they serve', async (t) => {
  const setup = setUp({ application: 'me' });
  const follower = bothLevels(setup);
  await setup.pass();
  rule(setup, 'step: FORCE_INTERFACE');
  await setup.pass();
  t.deepEqual(follower.addresses, interfaceHosts);
  t.is(setup.sources.watches('instances') + setup.sources.watches('mapping'), 0);
  rule(setup, 'step: FORCE_APPLICATION');
  await setup.pass();
  t.deepEqual(follower.addresses, applicationHosts);
  t.is(setup.sources.watches('interfaces'), 0);
});

test('a FORCE step waits for its delay and for enough hosts; `force` takes it anyway', async (t) => {
  const setup = setUp({ application: 'me', migration: { step: 'FORCE_INTERFACE' } });
  const follower = bothLevels(setup);
  await setup.pass();
  t.deepEqual(follower.addresses, interfaceHosts);
  rule(setup, 'step: FORCE_APPLICATION\ndelay: 30\nthreshold: 1.5');
  await setup.pass(29_000);
  t.deepEqual(follower.addresses, interfaceHosts);
  t.is(setup.sources.watches('instances'), 1, 'the target is read already');
  await setup.pass(5000);
  t.deepEqual(follower.addresses, interfaceHosts, 'two hosts against two are not enough');
  setup.sources.putInstance(instance('10.0.0.4', 'r1'));
  await setup.pass();
  t.deepEqual(follower.addresses, [...applicationHosts, '10.0.0.4:20880']);
  rule(setup, 'step: FORCE_INTERFACE\nthreshold: 5\nforce: true');
  await setup.pass();
  t.deepEqual(follower.addresses, interfaceHosts);
});

test('a service without hosts at the application level serves from the interface level at once', async (t) => {
  const setup = setUp({ application: 'me' });
  setup.sources.put('interfaces', 'a.B', url('10.0.0.1'), url('10.0.0.1'));
  const follower = new Follower();
  setup.registry.subscribe('a.B', follower.listen);
  await setup.pass();
  t.deepEqual(follower.addresses, ['10.0.0.1:20880']);
});

test('a proportion shares the calls: hosts of both lists get both shares', async (t) => {
  const setup = setUp({ application: 'me', migration: { proportion: 75 } });
  const follower = bothLevels(setup);
  await setup.pass();
  t.deepEqual(follower.addresses, ['10.0.0.1:20880', '10.0.0.2:20880', '10.0.0.3:20880']);
  const weightOf = (host: string): number => follower.get(`${host}:20880`)?.weight ?? 0;
  t.is(weightOf('10.0.0.2'), 128);
  t.is(weightOf('10.0.0.3') / weightOf('10.0.0.1'), 3);
  rule(setup, 'proportion: 100');
  await setup.pass();
  t.deepEqual(follower.addresses, applicationHosts);
});

test('shares add up whatever the lists weigh', (t) => {
  const list = (hosts: string, weight: number): Endpoint[] =>
    [...hosts].map((name) => endpoint(`${name}:1`, { weight }));
  const shared = shareCalls(list('ab', 100), list('bcde', 10), 50);
  const weights = new Map(shared.map(({ address, weight }) => [address, weight]));
  t.deepEqual([...weights].toSorted(), [
    ['a:1', 85],
    ['b:1', 128],
    ['c:1', 43],
    ['d:1', 43],
    ['e:1', 43],
  ]);
  t.deepEqual(
    shareCalls(list('a', 0), [], 50).map(({ weight }) => weight),
    [0],
  );
});

test('a rule says more of one interface than of its application, and more of that than of all', (t) => {
  const text = `
key: me
step: APPLICATION_FIRST
threshold: 0.5
proportion: 60
delay: 60
interfaces:
  - { serviceKey: "a.B:1.0.0", step: FORCE_INTERFACE, threshold: 1 }
  - { serviceKey: "a.C", force: true }
applications:
  - { serviceKey: "mall,shop", step: FORCE_APPLICATION }
  - { serviceKey: "shop", proportion: 10 }
`;
  const read = parseMigrationRule(text, usualStance);
  if (typeof read === 'string') return t.fail(read);
  const stance = (service: string, ...applications: string[]) =>
    read.stanceOf(parseServiceName(service), applications);
  const general = {
    step: 'APPLICATION_FIRST',
    threshold: 0.5,
    proportion: 60,
    delayMs: 60_000,
    force: false,
  };
  t.deepEqual(stance('a.X') as unknown, general);
  t.deepEqual(stance('a.B:1.0.0', 'shop') as unknown, { ...general, step: 'FORCE_INTERFACE', threshold: 1 });
  t.true(stance('a.C:2.0.0').force);
  t.is(stance('a.X', 'shop', 'mall').step, 'FORCE_APPLICATION');
  t.is(stance('a.X', 'shop').proportion, 10);
});

test('a rule that cannot be read changes nothing and says what is wrong', async (t) => {
  const setup = setUp({ application: 'me' });
  const follower = bothLevels(setup);
  await setup.pass();
  for (const [text, reason] of [
    ['step: SIDEWAYS', /step must be one of/],
    ['threshold: many', /threshold must be a number/],
    ['interfaces: 3', /interfaces must be a list/],
    ['interfaces: [{}]', /needs a serviceKey/],
    ['- a', /must be a map/],
    ['"', /quote/i],
  ] as const) {
    rule(setup, text);
    await setup.pass();
    t.deepEqual(follower.addresses, applicationHosts);
    t.regex(setup.registry.health().reason, reason);
  }
  rule(setup, '');
  await setup.pass();
  t.is(setup.registry.health().status, 'ok');
});

test('the configuration has a rule of its own, with other answers for single interfaces', async (t) => {
  const setup = setUp({
    migration: { step: 'FORCE_INTERFACE', services: { 'a.B': { step: 'FORCE_APPLICATION' } } },
  });
  const follower = bothLevels(setup);
  await setup.pass();
  t.deepEqual(follower.addresses, applicationHosts);
});
