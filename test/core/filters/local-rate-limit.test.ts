import test from 'ava';
import { localRateLimit } from '../../../src/core/filters/local-rate-limit.ts';
import {
  counted,
  createFilter,
  createRig,
  onRequest,
  parseConfig,
  peer,
  type Rig,
  route,
  streamOf,
} from './harness.ts';

function request(
  rig: Rig,
  change: { address?: string; key?: string; route?: ReturnType<typeof route> } = {},
) {
  const key = change.key === undefined ? '' : `x-api-key: ${change.key}\r\n`;
  const s = streamOf(`GET / HTTP/1.1\r\nhost: a\r\n${key}`);
  if (change.address !== undefined) s.peer = peer(change.address);
  s.route = change.route ?? null;
  s.startMs = rig.clock.now();
  return s;
}

test('the bucket lets a burst through, then one per fill, and says when to come back', (t) => {
  const rig = createRig();
  const filter = createFilter(localRateLimit, { bucket: { maxTokens: 3, fillIntervalMs: 2500 } }, rig);
  const passes = (): boolean => onRequest(filter, request(rig)) === 0;
  t.deepEqual([passes(), passes(), passes(), passes()], [true, true, true, false]);
  const refused = request(rig);
  onRequest(filter, refused);
  t.is(refused.res.status, 429);
  t.is(refused.res.get('retry-after'), '3');
  t.is(refused.res.get('x-heddle-error'), 'rate_limited');
  t.is(refused.flags, 'RL');
  rig.clock.advance(2500);
  t.deepEqual([passes(), passes()], [true, false]);
  t.is(counted(rig, 'heddle_filter_local_rate_limit_passed_total'), 4);
  t.is(counted(rig, 'heddle_filter_local_rate_limit_limited_total'), 3);
});

test('each client has its own bucket; an IPv6 network is one client', (t) => {
  const rig = createRig();
  const filter = createFilter(localRateLimit, { descriptors: [{ key: ['client'], maxTokens: 1 }] }, rig);
  const passes = (address: string): boolean => onRequest(filter, request(rig, { address })) === 0;
  t.deepEqual(['10.0.0.1', '10.0.0.1', '10.0.0.2'].map(passes), [true, false, true]);
  t.deepEqual(['2001:db8::1', '2001:db8::2', '2001:db8:0:1::1'].map(passes), [true, false, true]);
});

test('a key may be made of several parts; a request without the header is not limited by it', (t) => {
  const rig = createRig();
  const key = ['client', { header: 'X-Api-Key' }];
  const filter = createFilter(localRateLimit, { descriptors: [{ key, maxTokens: 1 }] }, rig);
  const passes = (address: string, apiKey?: string): boolean =>
    onRequest(filter, request(rig, { address, ...(apiKey === undefined ? {} : { key: apiKey }) })) === 0;
  t.deepEqual(
    [passes('a', 'k1'), passes('a', 'k1'), passes('a', 'k2'), passes('b', 'k1')],
    [true, false, true, true],
  );
  t.deepEqual([passes('a'), passes('a')], [true, true]);
});

test('a request that one bucket refuses pays none of the others', (t) => {
  const rig = createRig();
  const config = {
    bucket: { maxTokens: 2 },
    descriptors: [{ key: ['client'], maxTokens: 1, fillIntervalMs: 60_000 }],
  };
  const filter = createFilter(localRateLimit, config, rig);
  const passes = (address: string): boolean => onRequest(filter, request(rig, { address })) === 0;
  t.deepEqual(['a', 'a', 'a', 'b', 'c'].map(passes), [true, false, false, true, false]);
});

test('keys are remembered up to a bound, the least recently used goes first', (t) => {
  const rig = createRig();
  const config = { maxKeys: 2, descriptors: [{ key: ['client'], maxTokens: 1, fillIntervalMs: 60_000 }] };
  const filter = createFilter(localRateLimit, config, rig);
  const passes = (address: string): boolean => onRequest(filter, request(rig, { address })) === 0;
  t.deepEqual(['a', 'b', 'a', 'c', 'a', 'b'].map(passes), [true, true, false, true, false, true]);
});

test('a route that configures the filter has buckets of its own', (t) => {
  const rig = createRig();
  const filter = createFilter(localRateLimit, { bucket: { maxTokens: 1 } }, rig);
  const own = route({
    filterConfigs: [parseConfig(localRateLimit.config, { bucket: { maxTokens: 1 }, status: 503 })],
  });
  const off = route({ filterConfigs: [false] });
  const verdicts = [null, null, own, own, off].map((each) =>
    onRequest(filter, request(rig, each === null ? {} : { route: each })),
  );
  t.deepEqual(verdicts, [0, 3, 0, 3, 0]);
});

test('it must limit something', (t) => {
  for (const bad of [
    {},
    { bucket: { maxTokens: 0 } },
    { bucket: { maxTokens: 1, fillIntervalMs: 10 } },
    { descriptors: [{ key: [], maxTokens: 1 }] },
  ]) {
    t.throws(() => parseConfig(localRateLimit.config, bad), undefined, JSON.stringify(bad));
  }
});
