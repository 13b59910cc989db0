import test from 'ava';
import { ringHash } from '../../../src/core/cluster/balancers/ring-hash.ts';
import { createCluster } from '../../../src/core/cluster/cluster.ts';
import { clusterSettings } from '../../../src/core/cluster/settings.ts';
import type { RouteInput } from '../../../src/core/config/input.ts';
import type { Stream } from '../../../src/core/contract/stream.ts';
import { endpoints, full, testDependencies } from '../cluster/support.ts';
import { type RequestLine, requestStream, routesRouter } from './support.ts';

type Policies = NonNullable<RouteInput['hashPolicies']>;

/** What chooses among 50 hosts by the policies of one route. */
function chooserOf(hashPolicies: Policies): (request: RequestLine, prepare?: (s: Stream) => void) => string {
  const settings = clusterSettings({ name: 'c', loadBalancer: { name: 'ringHash', config: {} } });
  const dependencies = testDependencies(7);
  const cluster = createCluster(settings, { ...dependencies, balancers: new Map([['ringHash', ringHash]]) });
  cluster.applyDelta(full(...endpoints(50)));
  const router = routesRouter([{ hashPolicies }]);
  return (request, prepare) => {
    const s = requestStream(request);
    prepare?.(s);
    s.route = router.match(s);
    const host = cluster.chooseHost(s);
    if (typeof host === 'number') throw new Error(`code ${host}`);
    cluster.release(host);
    return host.address;
  };
}

const distinct = (values: readonly string[]): number => new Set(values).size;
const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

test('each kind of policy keeps equal requests on one host and spreads different ones', (t) => {
  const kinds: [Policies, (value: string) => RequestLine, ((s: Stream, value: string) => void)?][] = [
    [[{ header: 'X-User' }], (value) => ({ headers: [['x-user', value]] })],
    [[{ cookie: 'user' }], (value) => ({ headers: [['cookie', `a=b; user=${value}`]] })],
    [[{ query: 'user' }], (value) => ({ path: `/?x=1&user=${value}` })],
    [
      [{ attachment: 'X-User' }],
      (value) => ({ headers: [['X-User', value]] }),
      (s) => {
        s.req.exactNames = true;
      },
    ],
    [[{ metadata: 'user' }], () => ({}), (s, value) => s.setMetadata('user', value)],
    [
      [{ source: true }],
      () => ({}),
      (s, value) => {
        const facts = { spiffeId: null, certificateSha256: null, serverName: null };
        s.peer = { address: `10.0.0.${value}`, port: 1, ...facts };
      },
    ],
  ];
  for (const [policies, request, prepare] of kinds) {
    const choose = chooserOf(policies);
    const name = JSON.stringify(policies);
    t.is(distinct(times(20, () => choose(request('7'), (s) => prepare?.(s, '7')))), 1, name);
    const spread = distinct(times(60, (i) => choose(request(String(i)), (s) => prepare?.(s, String(i)))));
    t.true(spread > 20, `${name}: ${spread}`);
  }
});

test('policies are combined, until a terminal one has a value; what is missing or empty is passed over', (t) => {
  const by = (a: string, b: string): RequestLine => ({ headers: [['a', a]], path: `/?b=${b}` });
  const both = chooserOf([{ header: 'a' }, { query: 'b' }]);
  t.true(distinct(times(60, (i) => both(by('1', String(i))))) > 20);
  t.true(distinct(times(60, (i) => both(by(String(i), '1')))) > 20);
  const terminal = chooserOf([{ header: 'a', terminal: true }, { query: 'b' }]);
  t.is(distinct(times(60, (i) => terminal(by('1', String(i))))), 1);
  t.true(distinct(times(60, (i) => terminal(by('', String(i))))) > 20);
  const second = chooserOf([{ query: 'b' }]);
  t.is(terminal(by('', '9')), second(by('', '9')));
});

test('without any value the choice is random', (t) => {
  const choose = chooserOf([{ header: 'a' }, { cookie: 'c' }]);
  t.true(distinct(times(100, () => choose({}))) > 20);
});

test('a cookie that is missing is made once a request, with its attributes, and is not made again when it comes back', (t) => {
  const s = requestStream();
  s.route = routesRouter([{ hashPolicies: [{ cookie: 'affinity', ttlMs: 90_500, path: '/api' }] }]).match(s);
  const policy = s.route?.hashPolicies?.[0];
  const value = policy?.key(s) ?? '';
  t.regex(value, /^[0-9a-f]{32}$/);
  t.is(policy?.key(s), value);
  t.deepEqual(s.policy?.cookies, [
    { name: 'affinity', value, field: `affinity=${value}; Max-Age=91; Path=/api; HttpOnly` },
  ]);
  const back = requestStream({ headers: [['cookie', `affinity=${value}`]] });
  t.is(policy?.key(back), value);
  t.is(back.policy, null);
  const session = routesRouter([{ hashPolicies: [{ cookie: 'a', ttlMs: 0 }] }]).match(s)?.hashPolicies?.[0];
  session?.key(s);
  t.regex(s.policy?.cookies?.[1]?.field ?? '', /^a=[0-9a-f]{32}; Path=\/; HttpOnly$/);
});
