import test from 'ava';
import { SeededRandom } from '../../../../src/core/base/random.ts';
import * as balancers from '../../../../src/core/cluster/balancers/index.ts';
import { ClusterHost } from '../../../../src/core/cluster/host.ts';
import { HostList } from '../../../../src/core/cluster/host-list.ts';
import { SubsetBalancer } from '../../../../src/core/cluster/selection/subset-balancer.ts';
import type { Balancer, BalancerDefinition, Host } from '../../../../src/core/contract/cluster.ts';
import type { SubsetsConfig } from '../../../../src/core/contract/cluster-config.ts';
import type { Stream } from '../../../../src/core/contract/stream.ts';
import { endpoint, testDependencies } from '../support.ts';

const owner = { name: 'c', createUpstream: () => null as never, permits: null as never };
const hostOf = (i: number, metadata: Record<string, string>, weight = 1): ClusterHost =>
  new ClusterHost(owner, endpoint(`10.0.${i >> 8}.${i & 255}:80`, { metadata, weight }), 0);

const asking = (metadata: Record<string, string>, dynamic: Record<string, string> | null = null): Stream =>
  ({
    triedHosts: null,
    route: { metadataMatch: metadata },
    metadata: dynamic === null ? null : new Map(Object.entries(dynamic)),
  }) as unknown as Stream;

const leaf = (name = 'roundRobin', seed = 1): (() => Balancer) => {
  const definition = (Object.values(balancers) as BalancerDefinition[]).find((each) => each.name === name);
  const config = (definition as BalancerDefinition).config['~standard'].validate({}) as { value: unknown };
  const dependencies = testDependencies(seed);
  return () => (definition as BalancerDefinition).create(config.value, dependencies);
};

const picked = (balancer: Balancer, s: Stream | null, times = 20): string[] =>
  [...new Set(Array.from({ length: times }, () => balancer.pick(s)?.address ?? 'none'))].sort();

function fixture(settings: SubsetsConfig): { list: HostList; balancer: SubsetBalancer } {
  const list = new HostList(0);
  const balancer = new SubsetBalancer(settings, leaf());
  for (const [i, metadata] of [
    { version: '1', zone: 'a' },
    { version: '1', zone: 'b' },
    { version: '2', zone: 'a' },
    { zone: 'b' },
  ].entries()) {
    list.add(hostOf(i, metadata as Record<string, string>));
  }
  balancer.update(list.snapshot());
  return { list, balancer };
}

test('a request goes to the subset of exactly the keys it names', (t) => {
  const { balancer } = fixture({
    selectors: [{ keys: ['version'] }, { keys: ['zone', 'version'] }],
    fallback: 'noFallback',
  });
  t.deepEqual(picked(balancer, asking({ version: '1' })), ['10.0.0.0:80', '10.0.0.1:80']);
  t.deepEqual(picked(balancer, asking({ version: '1', zone: 'b' })), ['10.0.0.1:80']);
  t.deepEqual(picked(balancer, asking({ version: '2', zone: 'b' })), ['none']);
  t.deepEqual(picked(balancer, asking({ zone: 'a' })), ['none'], 'no selector has zone alone');
  t.deepEqual(picked(balancer, asking({ version: '9' })), ['none']);
  t.deepEqual(picked(balancer, asking({})), ['none']);
  t.deepEqual(picked(balancer, null), ['none']);
});

test('what filters set overlays the route; other keys do not matter', (t) => {
  const { balancer } = fixture({ selectors: [{ keys: ['version'] }], fallback: 'noFallback' });
  t.deepEqual(picked(balancer, asking({ version: '1', owner: 'x' }, { version: '2', note: 'y' })), [
    '10.0.0.2:80',
  ]);
  t.deepEqual(picked(balancer, asking({ constructor: 'x', version: '2' })), ['10.0.0.2:80']);
});

test('fall-back: any host, or the default subset', (t) => {
  const any = fixture({ selectors: [{ keys: ['version'] }], fallback: 'anyEndpoint' }).balancer;
  t.is(picked(any, asking({ version: '9' })).length, 4);
  t.is(picked(any, null).length, 4);
  const some = fixture({
    selectors: [{ keys: ['version'] }],
    fallback: 'default',
    default: { zone: 'b' },
  }).balancer;
  t.deepEqual(picked(some, asking({ version: '9' })), ['10.0.0.1:80', '10.0.0.3:80']);
  t.deepEqual(picked(some, asking({})), ['10.0.0.1:80', '10.0.0.3:80']);
  t.throws(() => fixture({ selectors: [{ keys: ['a'] }], fallback: 'default' }), {
    code: 'ERR_CONFIG_INVALID',
  });
  const keys = Array.from({ length: 31 }, (_, i) => ({ keys: [`k${i}`] }));
  t.throws(() => fixture({ selectors: keys, fallback: 'noFallback' }), { code: 'ERR_CONFIG_INVALID' });
});

test('health and metadata changes reach the subsets; a subset without hosts falls back', (t) => {
  const { list, balancer } = fixture({
    selectors: [{ keys: ['version'] }],
    fallback: 'default',
    default: { zone: 'b' },
  });
  const ask = asking({ version: '2' });
  t.deepEqual(picked(balancer, ask), ['10.0.0.2:80']);
  const two = list.get('10.0.0.2:80') as ClusterHost;
  two.isUnhealthy = true;
  list.refresh(two);
  balancer.update(list.snapshot());
  t.deepEqual(picked(balancer, ask), ['10.0.0.1:80', '10.0.0.3:80']);
  two.isUnhealthy = false;
  list.refresh(two);
  balancer.update(list.snapshot());
  t.deepEqual(picked(balancer, ask), ['10.0.0.2:80']);
  const three = list.get('10.0.0.3:80') as ClusterHost;
  three.change({ ...three.toEndpoint(), metadata: { version: '2' } });
  list.refresh(three);
  balancer.update(list.snapshot());
  t.deepEqual(picked(balancer, ask), ['10.0.0.2:80', '10.0.0.3:80']);
  list.remove(two);
  balancer.update(list.snapshot());
  t.deepEqual(picked(balancer, ask), ['10.0.0.3:80']);
});

test('values that strangers ask for are not remembered, and empty subsets are forgotten', (t) => {
  const { list, balancer } = fixture({ selectors: [{ keys: ['version'] }], fallback: 'anyEndpoint' });
  for (let i = 0; i < 1000; i++) balancer.pick(asking({ version: `stranger-${i}` }));
  t.is(balancer.groupCount, 0);
  balancer.pick(asking({ version: '2' }));
  t.is(balancer.groupCount, 1);
  list.remove(list.get('10.0.0.2:80') as ClusterHost);
  balancer.update(list.snapshot());
  t.is(picked(balancer, asking({ version: '2' })).length, 3);
  t.is(balancer.groupCount, 0);
});

for (const name of ['roundRobin', 'random', 'leastRequest']) {
  for (const isWeighted of [false, true]) {
    test(`${name}, ${isWeighted ? 'mixed' : 'equal'} weights: subsets follow any order of changes`, (t) => {
      const random = new SeededRandom(41);
      const roll = (below: number): number => Math.floor(random.next() * below);
      const facts = (): Record<string, string> => ({ v: String(roll(3)), z: `z${roll(2)}` });
      const list = new HostList(0);
      const balancer = new SubsetBalancer(
        { selectors: [{ keys: ['v'] }, { keys: ['v', 'z'] }], fallback: 'noFallback' },
        leaf(name, 5),
      );
      const weight = (): number => (isWeighted ? 1 + roll(5) : 1);
      for (let i = 0; i < 60; i++) list.add(hostOf(i, facts(), weight()));
      // Subsets that nobody used for longer than the horizon are built anew: some are asked for seldom.
      for (let round = 0; round < 6000; round++) {
        const host = list.hosts.get(roll(list.size)) as ClusterHost;
        const what = roll(4);
        if (what === 0) host.isUnhealthy = !host.isUnhealthy;
        if (what === 1) host.change({ ...host.toEndpoint(), metadata: facts(), weight: weight() });
        if (what < 2) list.refresh(host);
        else if (what === 2 && list.size > 40) list.remove(host);
        else if (list.size < 80) list.add(hostOf(100 + round, facts(), weight()));
        if (roll(3) === 0) balancer.update(list.snapshot());
        else continue;
        const ask: Record<string, string> = { v: roll(40) === 0 ? '0' : String(1 + roll(2)) };
        if (roll(2) === 0) ask['z'] = `z${roll(2)}`;
        const matches = (each: Host): boolean =>
          !each.isUnhealthy && Object.entries(ask).every(([key, value]) => each.metadata[key] === value);
        const allowed = [...list.hosts].filter(matches);
        const got = balancer.pick(asking(ask));
        if (got === null ? allowed.length > 0 : !allowed.includes(got as ClusterHost)) {
          t.fail(`round ${round}: ${JSON.stringify(ask)} gave ${got?.address}`);
          return;
        }
        if (round % 40 === 0 && allowed.length > 0) {
          const seen = new Set(Array.from({ length: allowed.length * 60 }, () => balancer.pick(asking(ask))));
          if (seen.size !== allowed.length) {
            t.fail(`round ${round}: ${seen.size} of ${allowed.length} hosts got traffic`);
            return;
          }
        }
      }
      t.pass();
    });
  }
}

test('a tried host is avoided within the subset', (t) => {
  const { list, balancer } = fixture({ selectors: [{ keys: ['version'] }], fallback: 'noFallback' });
  const [a, b] = [list.get('10.0.0.0:80'), list.get('10.0.0.1:80')] as [Host, Host];
  for (let i = 0; i < 10; i++) {
    const s = { ...asking({ version: '1' }), triedHosts: [a] } as unknown as Stream;
    t.is(balancer.pick(s), b);
  }
});
