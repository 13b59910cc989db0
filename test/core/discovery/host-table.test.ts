import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import fc from 'fast-check';
import type { Endpoint } from '../../../src/core/contract/cluster.ts';
import { endpointOfUrl } from '../../../src/core/discovery/dubbo/provider-endpoint.ts';
import { parseProviderUrl } from '../../../src/core/discovery/dubbo/provider-url.ts';
import { parseServiceName } from '../../../src/core/discovery/dubbo/service-name.ts';
import { FactsTable } from '../../../src/core/discovery/facts-table.ts';
import { HostTable } from '../../../src/core/discovery/host-table.ts';
import { ServiceFeed } from '../../../src/core/discovery/service-feed.ts';
import { silentLogger } from '../../../src/testing/index.ts';
import { endpoint, ManualClock } from '../cluster/support.ts';

/** Many collide in a small table; some are no IPv4 address, or not as one is written. */
const address = fc.oneof(
  fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 4 }))
    .map(([a, b, port]) => `10.${a}.0.${b}:${port}`),
  fc.constantFrom(
    'a.test:1',
    '[::1]:80',
    'unix:/x',
    '010.0.0.1:80',
    '10.0.0.1:080',
    '10.0.0.256:1',
    '255.255.255.255:65535',
    '0.0.0.0:0',
    '1.2.3:4',
    '1.2.3.4.5:6',
    '1.2.3.4:65536',
    '1.2.3.4',
  ),
);

test('a table is a map from addresses to facts, whatever is put and deleted', (t) => {
  const change = fc.tuple(address, fc.integer({ min: 0, max: 3 }));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      const table = new HostTable();
      const facts = new FactsTable();
      const map = new Map<string, number>();
      for (const [key, weight] of changes) {
        if (weight === 0) t.is(table.delete(key), map.delete(key));
        else {
          const expected = !map.has(key) ? 'added' : map.get(key) === weight ? 'same' : 'changed';
          t.is(table.put(key, facts.share(endpoint(key, { weight }))), expected);
          map.set(key, weight);
        }
      }
      t.is(table.size, map.size);
      for (const [key, weight] of map) t.is(table.get(key)?.weight, weight);
      t.deepEqual([...table].map((each) => [each.address, each.weight]).toSorted(), [...map].toSorted());
      t.deepEqual([...table.addresses()].sort(), [...map.keys()].sort());
      for (const [key] of changes) t.is(table.has(key), map.has(key));
    }),
    { seed: 5, numRuns: 300 },
  );
});

test('hosts that say the same share one object, and others do not', (t) => {
  const facts = new FactsTable();
  const share = (given: Partial<Endpoint>) => facts.share(endpoint('a:1', given));
  t.is(share({ metadata: { a: '1', b: '2' } }), share({ metadata: { b: '2', a: '1' } }));
  t.is(share({ weight: 2 }), share({ weight: 2 }));
  t.not(share({ weight: 2 }), share({ weight: 3 }));
  t.not(share({ zone: 'a b' }), share({ zone: 'a', hostname: 'b' }));
  t.not(share({ zone: 'a' }), share({ hostname: 'a' }));
});

test('a list of 50,000 Dubbo providers takes no more than 65 bytes a host', (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const bytes = (): number => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const asked = parseServiceName('com.acme.Greeter:1.0.0');
  const provider = (i: number): Endpoint => {
    const text = `dubbo://10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:20880/com.acme.Greeter?application=greeter&dubbo=2.0.2&interface=com.acme.Greeter&methods=hello,bye&pid=${i}&release=3.2.0&side=provider&timestamp=${1_700_000_000_000 + i}&version=1.0.0`;
    return endpointOfUrl(
      parseProviderUrl(text) as NonNullable<ReturnType<typeof parseProviderUrl>>,
      asked,
    ) as Endpoint;
  };
  const feed = new ServiceFeed('s', new ManualClock(), silentLogger);
  feed.publish([provider(0)]);
  const before = bytes();
  for (let i = 1; i <= 50_000; i++) {
    feed.apply({ put: [provider(i)], removed: [] });
    if (i % 1000 === 0) feed.flush();
  }
  const perHost = (bytes() - before) / 50_000;
  t.log(`${perHost.toFixed(1)} bytes a host`);
  t.is(feed.size, 50_001);
  t.true(perHost <= 65, `${perHost} bytes`);
});
