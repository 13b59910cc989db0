import test from 'ava';
import { SeededRandom } from '../../../../src/core/base/random.ts';
import { EdfScheduler } from '../../../../src/core/cluster/balancers/edf.ts';
import { createCluster, type LiveCluster } from '../../../../src/core/cluster/cluster.ts';
import { clusterSettings } from '../../../../src/core/cluster/settings.ts';
import type { Endpoint, Host } from '../../../../src/core/contract/cluster.ts';
import {
  change,
  chiSquare,
  chiSquareLimit,
  endpoint,
  endpoints,
  full,
  stream,
  testDependencies,
} from '../support.ts';

const cluster = (name: string, weights: readonly number[], seed = 1): LiveCluster => {
  const made = createCluster(
    clusterSettings({ name: 'c', loadBalancer: { name }, panicThresholdPercent: 0 }),
    testDependencies(seed),
  );
  made.applyDelta(full(...endpoints(weights.length, (i) => ({ weight: weights[i] as number }))));
  return made;
};

/** Picks by position of the address, with every stream finished at once. */
const counts = (from: LiveCluster, draws: number): number[] => {
  const seen = new Array<number>(from.hostSet.all.length).fill(0);
  const s = stream();
  for (let i = 0; i < draws; i++) {
    const host = from.chooseHost(s) as Host;
    from.release(host);
    seen[positionOf(host)] = (seen[positionOf(host)] as number) + 1;
  }
  return seen;
};
const positionOf = (host: Host): number => Number(/\.(\d+):/.exec(host.address)?.[1]);

test('round robin starts at a random host', (t) => {
  const first = new Array<number>(8).fill(0);
  for (let seed = 0; seed < 2000; seed++) {
    const at = positionOf(cluster('roundRobin', new Array(8).fill(1), seed).chooseHost(stream()) as Host);
    first[at] = (first[at] as number) + 1;
  }
  t.true(chiSquare(first, new Array(8).fill(1)) < chiSquareLimit(7), `${first}`);
});

test('round robin with different weights is exact over each period and spreads the turns', (t) => {
  const weights = [1, 2, 3, 10];
  const from = cluster('roundRobin', weights);
  const seen = counts(from, 16 * 1000);
  seen.forEach((count, i) => {
    t.true(Math.abs(count - (weights[i] as number) * 1000) <= 2, `${seen}`);
  });
  let longest = 0;
  for (let i = 0, run = 0; i < 1000; i++) {
    run = positionOf(from.chooseHost(stream()) as Host) === 3 ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  t.true(longest <= 4, `the heavy host came ${longest} times in a row`);
});

test('a new weight counts from the next turn on, for hosts that stay and hosts that come', (t) => {
  for (const name of ['roundRobin', 'weighted', 'random']) {
    const from = cluster(name, [1, 1, 4], 17);
    counts(from, 100);
    const [a] = endpoints(1, () => ({ weight: 5 }));
    from.applyDelta(change({ changed: [a as Endpoint], added: [endpoint('10.0.0.3:80', { weight: 10 })] }));
    const seen = counts(from, 20 * 500);
    const expected = [5, 1, 4, 10].map((weight) => weight * 500);
    const slack = name === 'random' ? 200 : 3;
    seen.forEach((count, i) => {
      t.true(Math.abs(count - (expected[i] as number)) <= slack, `${name}: ${seen}`);
    });
  }
});

test('weights are cut at 128', (t) => {
  const seen = counts(cluster('roundRobin', [1_000_000, 1]), 129 * 100);
  t.true(Math.abs((seen[1] as number) - 100) <= 1, `${seen}`);
});

test('clients that start together do not pick in step', (t) => {
  const first = [0, 0, 0];
  for (let seed = 0; seed < 3000; seed++) {
    const at = positionOf(cluster('roundRobin', [3, 2, 1], seed).chooseHost(stream()) as Host);
    first[at] = (first[at] as number) + 1;
  }
  t.true(Math.min(...first) > 100, `${first}`);
});

test('random follows the weights: chi-square over 200,000 draws', (t) => {
  for (const weights of [
    [1, 1, 1, 1, 1],
    [1, 2, 3, 50, 128],
  ]) {
    const seen = counts(cluster('random', weights, 11), 200_000);
    t.true(chiSquare(seen, weights) < chiSquareLimit(weights.length - 1), `${seen}`);
  }
});

test('least request is uniform while nothing is in progress', (t) => {
  const weights = new Array<number>(10).fill(1);
  const seen = counts(cluster('leastRequest', weights, 5), 100_000);
  t.true(chiSquare(seen, weights) < chiSquareLimit(9), `${seen}`);
});

test('least request keeps the most loaded host near the mean, random does not', (t) => {
  const worst = (name: string): number => {
    const from = cluster(name, new Array(100).fill(1), 9);
    from.update(
      clusterSettings({
        ...from.settings,
        circuitBreakers: { ...from.settings.circuitBreakers, maxRequests: 0 },
      }),
    );
    for (let i = 0; i < 10_000; i++) from.chooseHost(stream());
    return Math.max(...from.hostSet.all.map((host) => host.active));
  };
  t.true(worst('leastRequest') <= 104, `${worst('leastRequest')}`);
  t.true(worst('random') > 115);
});

test('least request with different weights shares by weight and shuns the loaded host', (t) => {
  const from = cluster('leastRequest', [1, 2, 4], 3);
  const seen = counts(from, 7 * 1000);
  seen.forEach((count, i) => {
    t.true(Math.abs(count - 1000 * 2 ** i) <= 3, `${seen}`);
  });
  const heavy = from.hostSet.all.find((host) => host.weight === 4) as Host;
  heavy.active = 39;
  // Its share is now 4 / 40 against 1 and 2.
  const loaded = counts(from, 31 * 100);
  t.true(Math.abs((loaded[2] as number) - 100) <= 5, `${loaded}`);
});

test('an ejected or unhealthy host gets nothing from any balancer, whatever the order of events', (t) => {
  for (const name of ['roundRobin', 'random', 'leastRequest']) {
    for (const weights of [new Array(12).fill(1), Array.from({ length: 12 }, (_, i) => i + 1)]) {
      const from = cluster(name, weights, 21);
      const chance = new SeededRandom(99);
      const down = new Set<string>();
      let next = 100;
      for (let i = 0; i < 3000; i++) {
        const hosts = from.hostSet.all;
        const host = hosts[Math.floor(chance.next() * hosts.length)] as Host;
        const what = chance.next();
        if (what < 0.1 && down.size < 6) {
          down.add(host.address);
          from.setHealthy(host.address, false);
        } else if (what < 0.2) {
          down.delete(host.address);
          from.setHealthy(host.address, true);
        } else if (what < 0.25 && hosts.length > 8) {
          down.delete(host.address);
          from.applyDelta(change({ removed: [host.address] }));
        } else if (what < 0.3 && hosts.length < 20) {
          const added = endpoints(next + 1, () => ({ weight: 1 + (next % 5) })).slice(next);
          next++;
          from.applyDelta(change({ added }));
        } else if (what < 0.35) {
          from.applyDelta(
            change({ changed: [{ ...endpoints(1)[0], ...host, weight: 1 + (i % 9) } as never] }),
          );
        }
        const picked = from.chooseHost(stream()) as Host;
        if (picked.isRemoved || picked.isUnhealthy) return t.fail(`${name} picked ${picked.address}`);
        from.release(picked);
      }
      const seen = new Set<string>();
      for (let i = 0; i < 2000; i++) {
        const picked = from.chooseHost(stream()) as Host;
        from.release(picked);
        seen.add(picked.address);
      }
      t.is(seen.size, from.hostSet.available.length, `${name}: everyone who may gets some`);
    }
  }
});

test('the scheduler keeps its order through random removals and additions', (t) => {
  const random = new SeededRandom(4);
  const hosts = endpoints(200, (i) => ({ weight: 1 + (i % 7) })) as unknown as Host[];
  const scheduler = new EdfScheduler((host) => host.weight);
  for (let round = 0; round < 5000; round++) {
    const host = hosts[Math.floor(random.next() * hosts.length)] as Host;
    if (scheduler.has(host)) scheduler.remove(host);
    else scheduler.add(host, null);
    const next = scheduler.next();
    if (next !== null) t.true(scheduler.has(next) || t.fail());
  }
  for (const host of hosts) if (!scheduler.has(host)) scheduler.add(host, null);
  const total = hosts.reduce((sum, host) => sum + host.weight, 0);
  const seen = new Map<Host, number>();
  for (let i = 0; i < total * 20; i++) {
    const host = scheduler.next() as Host;
    seen.set(host, (seen.get(host) ?? 0) + 1);
  }
  for (const host of hosts) t.true(Math.abs((seen.get(host) ?? 0) - host.weight * 20) <= 2);
});
