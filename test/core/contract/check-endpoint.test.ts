import test from 'ava';
import { checkEndpoint } from '../../../src/core/contract/check-endpoint.ts';

test('an address or an object becomes an endpoint with its defaults', (t) => {
  const plain = { address: 'a:1', weight: 1, metadata: {}, zone: '', priority: 0, hostname: '' };
  t.deepEqual(checkEndpoint('a:1'), plain);
  t.deepEqual(checkEndpoint({ address: 'a:1' }), plain);
  const full = {
    address: '[::1]:80',
    weight: 0,
    metadata: { k: 'v' },
    zone: 'z',
    priority: 3,
    hostname: 'h',
  };
  t.deepEqual(checkEndpoint({ ...full, unknown: 1 }), full);
});

test('what is wrong is said in one text', (t) => {
  const cases: [unknown, RegExp][] = [
    ['nowhere', /^address "nowhere"/],
    ['a:0', /^address "a:0"/],
    [null, /no endpoint/],
    [7, /no endpoint/],
    [{}, /^address undefined/],
    [{ address: 'a:1', weight: -1 }, /^weight -1 of a:1/],
    [{ address: 'a:1', weight: Number.NaN }, /^weight NaN/],
    [{ address: 'a:1', priority: 1000 }, /^priority/],
    [{ address: 'a:1', zone: 1 }, /^zone or hostname/],
    [{ address: 'a:1', metadata: { k: 1 } }, /^metadata/],
    [{ address: 'a:1', metadata: ['k'] }, /^metadata/],
  ];
  for (const [input, expected] of cases) t.regex(checkEndpoint(input) as string, expected);
});
