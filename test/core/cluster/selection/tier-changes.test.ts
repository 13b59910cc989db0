import test from 'ava';
import fc from 'fast-check';
import { SeededRandom } from '../../../../src/core/base/random.ts';
import { ClusterHost } from '../../../../src/core/cluster/host.ts';
import { HostList } from '../../../../src/core/cluster/host-list.ts';
import { type TierSettings, tallyOf } from '../../../../src/core/cluster/selection/tier-plan.ts';
import { type FallingBack, TieredBalancer } from '../../../../src/core/cluster/selection/tiered-balancer.ts';
import type { Host, HostSet, TierTally } from '../../../../src/core/contract/cluster.ts';
import { endpoint } from '../support.ts';

/** Notes the hosts it has, and that the changes it is told lead to them. */
class Noting implements FallingBack {
  hosts = new Set<Host>();
  isInUse = false;
  #version = -1;

  update(set: HostSet): void {
    const now = new Set(set.availableView);
    const { changes } = set;
    if (changes !== null && changes.from === this.#version) {
      for (const host of changes.removed) this.hosts.delete(host);
      for (const host of changes.added) this.hosts.add(host);
      for (const host of changes.changed) if (!this.hosts.has(host)) throw new Error('changed but not there');
      if (this.hosts.size !== now.size || [...now].some((host) => !this.hosts.has(host))) {
        throw new Error('the changes do not lead to the hosts');
      }
    }
    this.hosts = now;
    this.#version = set.version;
  }

  pick(): Host | null {
    return null;
  }

  /** Every group in use is asked as long as none has a host. */
  pickMatching(): Host | null {
    this.isInUse = true;
    return null;
  }

  pickFallback(): Host | null {
    return null;
  }
}

interface Noted {
  readonly balancer: TieredBalancer;
  /** Hosts of each group that has any. */
  groups(): string[];
}

function noted(settings: TierSettings): Noted {
  const made: Noting[] = [];
  const balancer = new TieredBalancer(settings, new SeededRandom(1), () => {
    made.push(new Noting());
    return made.at(-1) as Noting;
  });
  const groups = (): string[] => {
    for (const each of made) each.isInUse = false;
    balancer.pick(null);
    return made
      .filter((each) => each.isInUse)
      .map(({ hosts }) =>
        [...hosts]
          .map((host) => host.address)
          .sort()
          .join(),
      )
      .filter((text) => text !== '')
      .sort();
  };
  return { balancer, groups };
}

const plainTally = (tally: TierTally): string =>
  JSON.stringify(
    [...tally]
      .map(([priority, zones]) => [
        priority,
        [...zones.values()].map(({ zone, total, healthy }) => `${zone} ${total} ${healthy}`).sort(),
      ])
      .sort(),
  );

const act = fc.record({
  kind: fc.constantFrom('add', 'remove', 'ill', 'well', 'weight', 'zone', 'priority', 'look'),
  at: fc.nat(19),
  value: fc.nat(2),
});

for (const [title, settings] of [
  ['priorities', { locality: null }],
  ['weighted zones', { locality: { mode: 'weighted', weights: { z0: 3, z2: 0 } } }],
  ['own zone first', { locality: { mode: 'zoneAware', zone: 'z1', minHosts: 4 } }],
] as const) {
  test(`${title}: hosts that change one by one end up where a new look puts them`, (t) => {
    const whole: TierSettings = { overprovisioningPercent: 140, panicThreshold: 0.3, ...settings };
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const list = new HostList(0);
        const owner = { name: 'c', createUpstream: () => ({}) as never, permits: {} as never };
        const steady = noted(whole);
        const make = (i: number): ClusterHost =>
          new ClusterHost(owner, endpoint(`h${i}:1`, { zone: `z${i % 3}`, priority: i % 2 }), 0);
        for (let i = 0; i < 10; i++) list.add(make(i));
        steady.balancer.update(list.snapshot());
        for (const { kind, at, value } of acts) {
          const host = list.get(`h${at}:1`);
          if (kind === 'look') steady.balancer.update(list.snapshot());
          else if (kind === 'add' && host === undefined) list.add(make(at));
          else if (host !== undefined) {
            if (kind === 'remove') list.remove(host);
            else {
              if (kind === 'ill' || kind === 'well') host.isUnhealthy = kind === 'ill';
              if (kind === 'weight') host.weight = value;
              if (kind === 'zone') host.zone = `z${value}`;
              if (kind === 'priority') host.priority = value;
              list.refresh(host);
            }
          }
        }
        const set = list.snapshot();
        steady.balancer.update(set);
        const fresh = noted(whole);
        fresh.balancer.update({ ...set, all: set.all, available: set.available, changes: null });
        if (plainTally(set.tally) !== plainTally(tallyOf(set.all))) throw new Error('counted wrong');
        const hasTiers = settings.locality !== null || !set.hasOnePriority;
        return !hasTiers || steady.groups().join(';') === fresh.groups().join(';');
      }),
      { numRuns: 300 },
    );
    t.pass();
  });
}
