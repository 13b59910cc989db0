import test from 'ava';
import fc from 'fast-check';
import type { SchemeName, ShardServer } from '../../src/sharding/scheme.ts';
import { ServiceListShard, type ShardDelta, type ShardOptions } from '../../src/sharding/service-list.ts';

const server = (i: number, facts: Partial<ShardServer> = {}): ShardServer => ({
  address: `10.0.${i >> 8}.${i & 255}:80`,
  weight: 1,
  zone: '',
  metadata: { slot: String(i) },
  ...facts,
});
const servers = (count: number, facts: (i: number) => Partial<ShardServer> = () => ({})): ShardServer[] =>
  Array.from({ length: count }, (_, i) => server(i, facts(i)));
const shard = (options: Partial<ShardOptions> = {}): ServiceListShard<ShardServer> =>
  new ServiceListShard({ clientKey: 'client-7', size: { fraction: 0.5 }, ...options });
const added = (...all: ShardServer[]): ShardDelta<ShardServer> => ({ added: all, removed: [], changed: [] });
const addresses = (list: ServiceListShard<ShardServer>): string[] =>
  list.members().map((each) => each.address);

const schemes: SchemeName[] = ['rendezvous', 'ring', 'maglev', 'slots'];

for (const scheme of schemes) {
  test(`${scheme}: deltas lead to what a fresh list of the same servers gives`, (t) => {
    const step = fc.record({
      kind: fc.constantFrom('add', 'remove', 'change', 'health', 'full'),
      which: fc.array(fc.integer({ min: 0, max: 39 }), {
        minLength: 1,
        maxLength: scheme === 'maglev' ? 3 : 24,
      }),
      weight: fc.integer({ min: 0, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: scheme === 'maglev' ? 6 : 40 }), (steps) => {
        const options: Partial<ShardOptions> = { scheme, zone: 'z1', size: { fraction: 0.3 }, minSize: 3 };
        const list = shard(options);
        const all = new Map<string, ShardServer>();
        const unhealthy = new Set<string>();
        const followed = new Map<string, ShardServer>();
        const follow = (delta: ShardDelta<ShardServer>): void => {
          for (const address of delta.removed) {
            if (!followed.delete(address)) throw new Error(`removed ${address} twice`);
          }
          for (const each of delta.added) {
            if (followed.has(each.address)) throw new Error(`added ${each.address} twice`);
            followed.set(each.address, each);
          }
          for (const each of delta.changed) {
            if (!followed.has(each.address)) throw new Error(`changed ${each.address} which is no member`);
            followed.set(each.address, each);
          }
        };
        for (const { kind, which, weight } of steps) {
          const given = [...new Set(which)].map((i) => server(i, { weight, zone: `z${i % 3}` }));
          if (kind === 'health') {
            const { address } = given[0] as ShardServer;
            if (!all.has(address)) continue;
            const isHealthy = unhealthy.delete(address);
            if (!isHealthy) unhealthy.add(address);
            follow(list.setHealth(address, isHealthy));
            continue;
          }
          if (kind === 'full') {
            for (const address of all.keys()) unhealthy.delete(address);
            all.clear();
          }
          const known = given.filter((each) => all.has(each.address));
          const fresh = given.filter((each) => !all.has(each.address));
          if (kind === 'remove') {
            const removed = known.map((each) => each.address);
            for (const address of removed) {
              all.delete(address);
              unhealthy.delete(address);
            }
            follow(list.apply({ added: [], removed, changed: [] }));
          } else if (kind === 'change') {
            for (const each of known) all.set(each.address, each);
            follow(list.apply({ added: [], removed: [], changed: known }));
          } else {
            for (const each of fresh) all.set(each.address, each);
            if (kind === 'full') {
              // Health of servers that stay is kept by the list: forget it by removing them first.
              follow(list.apply({ full: true, added: [], removed: [], changed: [] }));
              follow(list.apply({ full: true, added: fresh, removed: [], changed: [] }));
            } else follow(list.apply(added(...fresh)));
          }
        }
        const rebuilt = shard(options);
        rebuilt.apply(added(...all.values()));
        for (const address of unhealthy) rebuilt.setHealth(address, false);
        const expected = addresses(rebuilt).sort().join();
        const sameMembers = addresses(list).sort().join() === expected;
        return sameMembers && [...followed.keys()].sort().join() === expected;
      }),
      { seed: 31, numRuns: scheme === 'maglev' ? 6 : 150 },
    );
    t.pass();
  });

  test(`${scheme}: each client has its own part, all parts together cover all servers`, (t) => {
    const covered = new Set<string>();
    const parts = new Set<string>();
    const clients = scheme === 'maglev' ? 40 : 200;
    for (let client = 0; client < clients; client++) {
      const list = shard({ scheme, clientKey: `pod-${client}`, clientIndex: client, size: { count: 10 } });
      list.apply(added(...servers(60)));
      t.is(list.members().length, 10);
      parts.add(addresses(list).sort().join());
      for (const address of addresses(list)) covered.add(address);
    }
    t.is(covered.size, 60);
    t.true(parts.size >= 10, `${parts.size}`);
  });
}

test('the size is a share, a number, or follows from connections per server', (t) => {
  const sizeOf = (size: ShardOptions['size'], minSize = 1): number => {
    const list = shard({ size, minSize });
    list.apply(added(...servers(100)));
    return list.members().length;
  };
  t.is(sizeOf({ fraction: 0.5 }), 50);
  t.is(sizeOf({ fraction: 0.501 }), 51);
  t.is(sizeOf({ count: 7 }), 7);
  t.is(sizeOf({ count: 700 }), 100);
  t.is(sizeOf({ connectionsPerServer: 400, clients: 2000 }), 20);
  t.is(sizeOf({ connectionsPerServer: 400, clients: 0 }), 100);
  t.is(sizeOf({ fraction: 0.01 }, 12), 12);
});

test('the own zone comes first, others fill up', (t) => {
  const list = shard({ zone: 'a', size: { count: 20 } });
  list.apply(added(...servers(60, (i) => ({ zone: i % 6 === 0 ? 'a' : 'b' }))));
  const zones = list.members().map((each) => each.zone);
  t.is(zones.filter((zone) => zone === 'a').length, 10);
  t.is(zones.length, 20);
});

test('next ranks stand in for unhealthy members, and leave again', (t) => {
  const list = shard({ size: { count: 5 }, maxSpares: 2 });
  list.apply(added(...servers(20)));
  const members = addresses(list);
  const first = list.setHealth(members[0] as string, false);
  t.is(first.added.length, 1);
  t.deepEqual(first.removed, []);
  const spare = first.added[0]?.address as string;
  const second = list.setHealth(spare, false);
  t.deepEqual(second.removed, [spare], 'a spare that is unhealthy itself is replaced');
  t.is(second.added.length, 1);
  list.setHealth(members[1] as string, false);
  t.is(list.members().length, 7);
  t.deepEqual(list.setHealth(members[2] as string, false).added, [], 'maxSpares');
  for (const address of members) list.setHealth(address, true);
  t.deepEqual(addresses(list), members);
});

test('a weight of 0 is no member before all others are', (t) => {
  const list = shard({ size: { count: 5 } });
  list.apply(added(...servers(20, (i) => ({ weight: i < 15 ? 0 : 1 }))));
  t.true(list.members().every((each) => each.weight === 1));
});

test('rendezvous: a heavier server is in more parts', (t) => {
  let heavy = 0;
  let light = 0;
  for (let client = 0; client < 2000; client++) {
    const list = shard({ clientKey: `c${client}`, size: { count: 2 } });
    list.apply(added(...servers(40, (i) => ({ weight: i === 0 ? 4 : 1 }))));
    for (const each of list.members()) {
      if (each.weight === 4) heavy++;
      else light++;
    }
  }
  const ratio = heavy / (light / 39);
  t.true(ratio > 3.3 && ratio < 4.3, `${ratio}`);
});
