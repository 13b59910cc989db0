import type { Balancer } from '../../core/contract/cluster.ts';
import { fakeHostSet, fakeHosts } from '../fake-hosts.ts';
import type { SuiteTest } from './suite-test.ts';

export interface BalancerSuiteOptions {
  /** Without a stream every available host is chosen sooner or later; false for those that hash the stream (true). */
  readonly spreads?: boolean;
}

const draws = 2000;

/** What every balancer keeps. @param create a fresh one with its default configuration */
export function balancerContractSuite(
  test: SuiteTest,
  name: string,
  create: () => Balancer,
  options: BalancerSuiteOptions = {},
): void {
  const pickMany = (balancer: Balancer, count = draws): (string | null)[] =>
    Array.from({ length: count }, () => balancer.pick(null)?.address ?? null);

  test(`${name}: nothing to choose is null, never a throw`, (t) => {
    const balancer = create();
    t.is(balancer.pick(null), null);
    balancer.update(fakeHostSet([], 1));
    t.is(balancer.pick(null), null);
    balancer.update(fakeHostSet(fakeHosts(3), 2, []));
    t.is(balancer.pick(null), null);
  });

  test(`${name}: only available hosts are chosen`, (t) => {
    const hosts = fakeHosts(9);
    const available = hosts.filter((_, i) => i % 2 === 0);
    const balancer = create();
    balancer.update(fakeHostSet(hosts, 1, available));
    const allowed = new Set(available.map((host) => host.address));
    t.true(pickMany(balancer).every((address) => address !== null && allowed.has(address)));
  });

  test(`${name}: an update replaces the choice whole`, (t) => {
    const balancer = create();
    const before = fakeHosts(5);
    balancer.update(fakeHostSet(before, 1));
    pickMany(balancer, 7);
    const after = [...before.slice(2), ...fakeHosts(8).slice(5)];
    balancer.update(fakeHostSet(after, 2));
    const allowed = new Set(after.map((host) => host.address));
    t.true(pickMany(balancer).every((address) => address !== null && allowed.has(address)));
    balancer.update(fakeHostSet([], 3));
    t.is(balancer.pick(null), null);
  });

  test(`${name}: changes said with the update lead to the same hosts as a set without them`, (t) => {
    const balancer = create();
    const before = fakeHosts(4);
    balancer.update(fakeHostSet(before, 1));
    const added = fakeHosts(5).slice(4);
    const removed = before.slice(0, 1);
    const after = [...before.slice(1), ...added];
    balancer.update({ ...fakeHostSet(after, 2), changes: { from: 1, added, removed, changed: [] } });
    const allowed = new Set(after.map((host) => host.address));
    const chosen = pickMany(balancer);
    t.true(chosen.every((address) => address !== null && allowed.has(address)));
    if (options.spreads !== false) t.is(new Set(chosen).size, after.length);
  });

  test(`${name}: one host is always chosen, whatever its weight and load`, (t) => {
    for (const weight of [1, 128, 1000]) {
      const [host] = fakeHosts(1, () => ({ weight }));
      if (host === undefined) continue;
      host.active = 1_000_000;
      const balancer = create();
      balancer.update(fakeHostSet([host]));
      t.deepEqual(new Set(pickMany(balancer, 20)), new Set([host.address]));
    }
  });

  if (options.spreads === false) return;
  test(`${name}: every available host gets its turn`, (t) => {
    const hosts = fakeHosts(7, (i) => ({ weight: 1 + (i % 3) }));
    const balancer = create();
    balancer.update(fakeHostSet(hosts));
    t.is(new Set(pickMany(balancer)).size, hosts.length);
  });
}
