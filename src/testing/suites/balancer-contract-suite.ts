import type { Balancer, Host } from '../../core/contract/cluster.ts';
import type { Stream } from '../../core/contract/stream.ts';
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

  for (const [title, all, available] of edges()) {
    test(`${name}: ${title}`, (t) => {
      const balancer = create();
      balancer.update(fakeHostSet(all, 1, available));
      const chosen = new Set(pickMany(balancer, 200));
      const allowed = new Set(available.map((host) => host.address));
      if (available.length === 0) t.deepEqual(chosen, new Set([null]));
      else t.true([...chosen].every((address) => address !== null && allowed.has(address)));
      balancer.update(fakeHostSet(fakeHosts(3), 2));
      t.false(pickMany(balancer, 20).includes(null), 'and it gets over it');
    });
  }

  test(`${name}: a stream that has tried them all still gets one`, (t) => {
    for (const count of [1, 2, 9]) {
      const hosts = fakeHosts(count, (i) => ({ weight: 1 + (i % 2) }));
      const balancer = create();
      balancer.update(fakeHostSet(hosts));
      const tried = (some: readonly Host[]): Stream =>
        ({ triedHosts: some, metadata: null, route: null, peer: null }) as unknown as Stream;
      t.true(hosts.includes(balancer.pick(tried(hosts)) as Host));
      const [last] = hosts.slice(-1);
      if (count > 1) t.is(balancer.pick(tried(hosts.slice(0, -1))), last, 'the one that is left');
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

/** What lists of hosts come to in bad hours. */
function edges(): [title: string, all: readonly Host[], available: readonly Host[]][] {
  const with0 = fakeHosts(4, (i) => ({ weight: i % 2 }));
  const sick = fakeHosts(3);
  for (const host of sick) host.isUnhealthy = true;
  const ejected = fakeHosts(3);
  for (const host of ejected) host.ejectedUntilMs = Number.POSITIVE_INFINITY;
  const twins = [...fakeHosts(2), ...fakeHosts(2, () => ({ weight: 5 }))];
  const levels = fakeHosts(4, (i) => ({ priority: [0, 7, 7, 127][i] as number }));
  const far = fakeHosts(3, (i) => ({ weight: [1, 1_000_000, 3][i] as number }));
  return [
    ['a weight of 0 gets nothing', with0, with0.filter((host) => host.weight > 0)],
    ['weights of 0 alone give nobody', fakeHosts(3, () => ({ weight: 0 })), []],
    ['all unhealthy give nobody', sick, []],
    ['all unhealthy in panic give anybody', sick, sick],
    ['all ejected give nobody', ejected, []],
    ['all ejected in panic give anybody', ejected, ejected],
    ['hosts with equal addresses are no trouble', twins, twins],
    ['priorities with holes are not its concern', levels, levels],
    ['one host of many is left', fakeHosts(50), fakeHosts(50).slice(17, 18)],
    ['weights far apart leave nobody out of range', far, far],
  ];
}
