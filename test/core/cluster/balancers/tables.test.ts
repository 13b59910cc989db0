import test from 'ava';
import fc from 'fast-check';
import { createCluster, type LiveCluster } from '../../../../src/core/cluster/cluster.ts';
import { clusterSettings } from '../../../../src/core/cluster/settings.ts';
import type { Endpoint, Host } from '../../../../src/core/contract/cluster.ts';
import type { Stream } from '../../../../src/core/contract/stream.ts';
import {
  change,
  endpoints,
  full,
  type ManualClock,
  type TestDependencies,
  testDependencies,
} from '../support.ts';

const balancers = ['maglev', 'ringHash'] as const;

function make(
  name: string,
  all: readonly Endpoint[],
  config: object = {},
): { cluster: LiveCluster; dependencies: TestDependencies } {
  const dependencies = testDependencies();
  const loadBalancer = { name, config: { key: [{ metadata: 'user' }], ...config } };
  const cluster = createCluster(
    clusterSettings({ name: 'c', loadBalancer, panicThresholdPercent: 0 }),
    dependencies,
  );
  cluster.applyDelta(full(...all));
  return { cluster, dependencies };
}

const streamOf = (user: number): Stream =>
  ({ triedHosts: null, route: null, metadata: new Map([['user', `u${user}`]]) }) as unknown as Stream;

function homes(cluster: LiveCluster, users = 300): string[] {
  return Array.from({ length: users }, (_, user) => {
    const host = cluster.chooseHost(streamOf(user));
    if (typeof host === 'number') return `code ${host}`;
    cluster.release(host);
    return host.address;
  });
}

/** Until no build is under way, at most so many turns. */
function settle(clock: ManualClock, turns = 5000): void {
  for (let i = 0; i < turns && clock.pendingTimers > 0; i++) clock.advance(1);
}

for (const name of balancers) {
  test(`${name}: an unhealthy host loses its keys to others and gets exactly them back`, (t) => {
    for (const count of [5, 3000]) {
      const { cluster, dependencies } = make(name, endpoints(count));
      void cluster.preparing;
      settle(dependencies.clock);
      const before = homes(cluster);
      const ill = before[0] as string;
      cluster.setHealthy(ill, false);
      const during = homes(cluster);
      t.false(during.includes(ill));
      t.deepEqual(
        during.filter((home, user) => before[user] !== ill && home !== before[user]),
        [],
        'nobody else moves',
      );
      t.is(dependencies.clock.pendingTimers, 0, 'and nothing is built');
      cluster.setHealthy(ill, true);
      t.deepEqual(homes(cluster), before);
    }
  });

  test(`${name}: a large cluster serves from its old table while the next is made in slices`, (t) => {
    const all = endpoints(6001);
    const { cluster, dependencies } = make(name, all.slice(1));
    t.is(cluster.preparing, 'the load balancer has no table yet');
    settle(dependencies.clock);
    t.is(cluster.preparing, null);
    dependencies.clock.advance(5000);
    const before = homes(cluster);
    const gone = before[0] as string;
    const heavy = { ...(all[0] as Endpoint), weight: 128 };
    cluster.applyDelta(change({ removed: [gone], added: [heavy] }));
    const during = homes(cluster);
    t.false(during.includes(gone), 'who leaves is gone at once');
    t.false(during.includes(heavy.address), 'who joins waits for the table');
    t.deepEqual(
      during.filter((home, user) => before[user] !== gone && home !== before[user]),
      [],
    );
    settle(dependencies.clock);
    const after = homes(cluster, 3000);
    t.true(after.includes(heavy.address));
    t.false(after.includes(gone));
    const { cluster: fresh, dependencies: others } = make(name, [
      heavy,
      ...all.slice(1).filter((each) => each.address !== gone),
    ]);
    void fresh.preparing;
    settle(others.clock);
    t.deepEqual(homes(fresh, 3000), after, 'every proxy with this list agrees');
  });

  test(`${name}: a pick that comes before the first table waits for it`, (t) => {
    const { cluster, dependencies } = make(name, endpoints(6000));
    t.is(new Set(homes(cluster)).size > 200, true);
    t.is(dependencies.clock.pendingTimers, 0);
  });

  test(`${name}: a list that never rests is built once a second`, (t) => {
    const { cluster, dependencies } = make(name, endpoints(6000));
    void cluster.preparing;
    settle(dependencies.clock);
    const { clock } = dependencies;
    let builds = 0;
    const seen = new Set<string>();
    for (let i = 0; i < 100; i++) {
      const joined = { ...(endpoints(1)[0] as Endpoint), address: `10.9.9.${i}:80`, weight: 128 };
      cluster.applyDelta(change({ added: [joined] }));
      homes(cluster, 1);
      clock.advance(50);
      const fresh = homes(cluster, 1500).filter((home) => home.startsWith('10.9.9.') && !seen.has(home));
      if (fresh.length > 0) builds++;
      for (const home of fresh) seen.add(home);
    }
    t.true(builds >= 3 && builds <= 6, `${builds} tables in 5 s`);
  });

  test(`${name}: no slice takes more than a few steps`, (t) => {
    const { cluster, dependencies } = make(name, endpoints(20_000));
    const { clock } = dependencies;
    void cluster.preparing;
    // Every look at the clock costs a millisecond: a slice of 2 ms is a few steps.
    const now = clock.now.bind(clock);
    clock.now = () => {
      clock.nowMs++;
      return now();
    };
    let slices = 0;
    while (clock.pendingTimers > 0 && slices < 10_000) {
      clock.advance(5);
      slices++;
    }
    t.true(slices > 30, `${slices} slices`);
    t.is(cluster.preparing, null);
  });

  test(`${name}: whatever happens, only available hosts are chosen, and each key has one home`, (t) => {
    const act = fc.record({
      kind: fc.constantFrom('ill', 'well', 'add', 'remove', 'weight', 'wait'),
      at: fc.nat(29),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), fc.boolean(), (acts, isLarge) => {
        const ring = { minRingSize: isLarge ? 6000 : 100 };
        const config = name === 'ringHash' ? ring : { tableSize: isLarge ? 100_003 : 1009 };
        const { cluster, dependencies } = make(name, endpoints(12), config);
        for (const { kind, at } of acts) {
          const endpoint = endpoints(30)[at] as Endpoint;
          if (kind === 'ill' || kind === 'well') cluster.setHealthy(endpoint.address, kind === 'well');
          else if (kind === 'add') cluster.applyDelta(change({ added: [endpoint] }));
          else if (kind === 'remove') cluster.applyDelta(change({ removed: [endpoint.address] }));
          else if (kind === 'weight')
            cluster.applyDelta(change({ changed: [{ ...endpoint, weight: at % 4 }] }));
          else dependencies.clock.advance(1500);
          const allowed = new Set(cluster.hostSet.available.map((host: Host) => host.address));
          for (const home of homes(cluster, 20)) {
            if (allowed.size === 0 ? home !== 'code 11' : !allowed.has(home))
              throw new Error(`${home} after ${kind}`);
          }
          const [once, again] = [homes(cluster, 20), homes(cluster, 20)];
          if (once.join() !== again.join()) throw new Error('a key moved by itself');
        }
        return true;
      }),
      { numRuns: 25 },
    );
    t.pass();
  });
}

test('a reload to a balancer that needs a table: the one before serves until it is there', (t) => {
  const { cluster, dependencies } = make('maglev', endpoints(6000));
  void cluster.preparing;
  settle(dependencies.clock);
  cluster.update({ ...cluster.settings, loadBalancer: { name: 'roundRobin' } });
  t.is(new Set(Array.from({ length: 50 }, () => homes(cluster, 1)[0])).size, 50);
  cluster.update({
    ...cluster.settings,
    loadBalancer: { name: 'ringHash', config: { key: [{ metadata: 'user' }] } },
  });
  t.is(cluster.preparing, 'the load balancer has no table yet');
  t.is(new Set(Array.from({ length: 50 }, () => homes(cluster, 1)[0])).size, 50, 'still in turns');
  cluster.applyDelta(change({ removed: [endpoints(1)[0]?.address ?? ''] }));
  homes(cluster, 1);
  settle(dependencies.clock);
  t.is(new Set(Array.from({ length: 50 }, () => homes(cluster, 1)[0])).size, 1, 'by key');
  t.is(cluster.preparing, null);
});

test('maglev: a table of another size', (t) => {
  const { cluster } = make('maglev', endpoints(7), { tableSize: 101 });
  t.is(new Set(homes(cluster)).size, 7);
  const wrong = testDependencies();
  t.throws(
    () =>
      createCluster(
        clusterSettings({ name: 'c', loadBalancer: { name: 'maglev', config: { tableSize: 100 } } }),
        wrong,
      ),
    { code: 'ERR_CONFIG_INVALID', message: /prime/ },
  );
});
