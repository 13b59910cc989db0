import test from 'ava';
import { createCluster, type LiveCluster } from '../../../../src/core/cluster/cluster.ts';
import { clusterSettings } from '../../../../src/core/cluster/settings.ts';
import type { Host } from '../../../../src/core/contract/cluster.ts';
import type { Stream } from '../../../../src/core/contract/stream.ts';
import { change, endpoints, full, testDependencies } from '../support.ts';

const names = ['ringHash', 'maglev', 'rendezvous'] as const;

const clusterOf = (
  name: string,
  count: number,
  config: unknown = {},
  weight = (_i: number): number => 1,
): LiveCluster => {
  const settings = clusterSettings({ name: 'c', loadBalancer: { name, config }, panicThresholdPercent: 0 });
  const cluster = createCluster(settings, testDependencies(7));
  cluster.applyDelta(full(...endpoints(count, (i) => ({ weight: weight(i) }))));
  return cluster;
};

interface Request {
  readonly source?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly tried?: Host[];
}

const request = ({ source, headers = {}, path = '/', tried }: Request): Stream =>
  ({
    triedHosts: tried ?? null,
    metadata: null,
    route: null,
    peer: source === undefined ? null : { address: source },
    req: { path, authority: 'api.test', get: (name: string) => headers[name] ?? null },
  }) as unknown as Stream;

const choose = (cluster: LiveCluster, s: Stream): Host => {
  const host = cluster.chooseHost(s);
  if (typeof host === 'number') throw new Error(`code ${host}`);
  cluster.release(host);
  return host;
};
const from = (i: number): Stream => request({ source: `10.9.${i >> 8}.${i & 255}` });

for (const name of names) {
  test(`${name}: a key keeps its host, and two proxies with the same list agree whatever its order`, (t) => {
    const one = clusterOf(name, 40);
    const two = clusterOf(name, 0);
    two.applyDelta(full(...endpoints(40).reverse()));
    for (let i = 0; i < 400; i++) {
      const host = choose(one, from(i));
      t.is(choose(one, from(i)), host);
      t.is(choose(two, from(i)).address, host.address);
    }
  });

  test(`${name}: shares follow the weights`, (t) => {
    const cluster = clusterOf(
      name,
      4,
      { ...(name === 'ringHash' ? { minRingSize: 40_000 } : {}) },
      (i) => i + 1,
    );
    const seen = [0, 0, 0, 0];
    for (let i = 0; i < 20_000; i++) {
      const at = choose(cluster, from(i)).weight - 1;
      seen[at] = (seen[at] as number) + 1;
    }
    for (const [i, count] of seen.entries())
      t.true(Math.abs(count / 20_000 - (i + 1) / 10) < 0.02, `${seen}`);
  });

  test(`${name}: a host that leaves moves hardly more than its own keys, one that returns gets them back`, (t) => {
    const cluster = clusterOf(name, 40);
    const before = Array.from({ length: 4000 }, (_, i) => choose(cluster, from(i)));
    const gone = cluster.hostSet.all[11] as Host;
    cluster.setHealthy(gone.address, false);
    let moved = 0;
    before.forEach((host, i) => {
      const now = choose(cluster, from(i));
      t.not(now, gone);
      if (host !== gone && now !== host) moved++;
    });
    // The size of a ring follows the number of hosts (gRPC A42), a maglev table is filled anew.
    const limit = name === 'rendezvous' ? 0 : 0.06;
    t.true(moved / before.length <= limit, `${moved} of ${before.length} moved`);
    cluster.setHealthy(gone.address, true);
    before.forEach((host, i) => {
      t.is(choose(cluster, from(i)), host);
    });
  });

  test(`${name}: a tried host is skipped, always for the same other one`, (t) => {
    const cluster = clusterOf(name, 10);
    for (let i = 0; i < 100; i++) {
      const source = `10.9.0.${i}`;
      const first = choose(cluster, request({ source }));
      const second = choose(cluster, request({ source, tried: [first] }));
      t.not(second, first);
      t.is(choose(cluster, request({ source, tried: [first] })), second);
      t.truthy(choose(cluster, request({ source, tried: [...cluster.hostSet.all] })));
    }
  });

  test(`${name}: an empty or missing key spreads instead of piling up on one host`, (t) => {
    const cluster = clusterOf(name, 10, { key: [{ header: 'x-user' }] });
    const seen = new Set<Host>();
    for (let i = 0; i < 300; i++) seen.add(choose(cluster, request({ headers: { 'x-user': '' } })));
    t.is(seen.size, 10);
  });
}

test('keys: header, cookie, query, path, authority; the first that is there', (t) => {
  const key = [{ header: 'X-User' }, { cookie: 'sid' }, { query: 'id' }, 'path'];
  const cluster = clusterOf('rendezvous', 200, { key });
  const host = (given: Request): string => choose(cluster, request(given)).address;
  const same = (a: Request, b: Request): boolean => host(a) === host(b);
  t.true(
    same(
      { headers: { 'x-user': 'u1' }, path: '/a' },
      { headers: { 'x-user': 'u1', cookie: 'sid=9' }, path: '/b' },
    ),
  );
  t.true(same({ headers: { cookie: 'a=1; sid=u1; b=2' } }, { headers: { 'x-user': 'u1' } }));
  t.true(same({ headers: { cookie: 'xsid=no' }, path: '/p?a=1&id=u1' }, { headers: { 'x-user': 'u1' } }));
  t.true(same({ path: '/p?x=1' }, { path: '/p?x=2' }));
  t.false(same({ path: '/p' }, { path: '/q' }));
});

test('rendezvous: what was worked out stays right through any order of changes', (t) => {
  const cluster = clusterOf('rendezvous', 30);
  for (let round = 0; round < 400; round++) {
    const hosts = cluster.hostSet.all;
    const victim = hosts[(round * 7) % hosts.length] as Host;
    const what = round % 5;
    if (what === 0) cluster.applyDelta(change({ added: endpoints(1000 + round).slice(-1) }));
    if (what === 1 && hosts.length > 20) cluster.applyDelta(change({ removed: [victim.address] }));
    if (what === 2) cluster.setHealthy(victim.address, victim.isUnhealthy);
    if (what === 3)
      cluster.applyDelta(
        change({ changed: [{ ...endpoints(1)[0], ...plain(victim), weight: 1 + (round % 4) } as never] }),
      );
    if (round % 3 !== 0) continue;
    const fresh = clusterOf('rendezvous', 0);
    fresh.applyDelta(full(...cluster.hostSet.available.map(plain)));
    for (let i = 0; i < 40; i++) {
      const expected = choose(fresh, from(i)).address;
      if (choose(cluster, from(i)).address !== expected) return t.fail(`round ${round}, key ${i}`);
    }
  }
  t.pass();
});

const plain = ({ address, weight, metadata, zone, priority, hostname }: Host) => ({
  address,
  weight,
  metadata,
  zone,
  priority,
  hostname,
});
