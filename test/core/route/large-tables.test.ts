import test from 'ava';
import fc from 'fast-check';
import type { RouteInput } from '../../../src/core/config/input.ts';
import { HostTable } from '../../../src/core/route/host-table.ts';
import { PackedNames } from '../../../src/core/route/packed-names.ts';
import { hostsRouter, requestStream, routesRouter } from './support.ts';

const count = 1000;

test('many hosts are found by name and by name and port, in any case; wildcards and long names too', (t) => {
  const long = `${'a'.repeat(60)}.long.test`;
  const hosts = [
    ...Array.from({ length: count }, (_, index) => `svc-${index}.test`),
    'svc-7.test:8443',
    long,
    '*.wild.test',
    '[::1]',
  ];
  const router = hostsRouter(
    hosts.map((domain) => ({ name: domain, domains: [domain], routes: [{ cluster: 'a' }] })),
  );
  const expected: [authority: string, host: string | undefined][] = [
    ['svc-999.test', 'svc-999.test'],
    ['svc-999.test:80', 'svc-999.test'],
    ['SVC-5.Test', 'svc-5.test'],
    ['svc-7.test:8443', 'svc-7.test:8443'],
    ['svc-7.test:80', 'svc-7.test'],
    ['svc-6.test.', 'svc-6.test'],
    [long, long],
    [`${long}:80`, long],
    ['x.wild.test', '*.wild.test'],
    ['[::1]:80', '[::1]'],
    ['svc-1000.test', undefined],
    ['vc-1.test', undefined],
    ['', undefined],
  ];
  for (const [authority, host] of [...expected, ...expected]) {
    const s = requestStream({ authority });
    t.is(router.match(s)?.virtualHost, host, authority);
    s.req.authority = authority;
    t.is(router.match(s)?.virtualHost, host, `${authority} changed`);
  }
});

test('hosts with routes of their own and hosts that share paths keep them apart', (t) => {
  const router = hostsRouter(
    Array.from({ length: count }, (_, index) => ({
      name: `h${index}`,
      domains: [`h${index}.test`],
      routes: [
        { name: `a${index}`, match: { path: '/a' }, cluster: 'a' },
        ...(index % 3 === 0
          ? [{ name: `m${index}`, match: { prefix: '/', methods: ['POST'] }, cluster: 'b' }]
          : []),
        ...(index % 7 === 0 ? [{ name: `own${index}`, match: { path: `/own/${index}` }, cluster: 'c' }] : []),
      ],
    })),
  );
  const nameOf = (index: number, path: string, method = 'GET') =>
    router.match(requestStream({ authority: `h${index}.test`, path, method }))?.name;
  for (let index = 0; index < count; index++) {
    t.is(nameOf(index, '/a'), `a${index}`);
    t.is(nameOf(index, '/x', 'POST'), index % 3 === 0 ? `m${index}` : undefined);
    t.is(nameOf(index, `/own/${index}`), index % 7 === 0 ? `own${index}` : undefined);
    t.is(nameOf(index, `/own/${index + 1}`), undefined);
  }
});

test('many routes by one header are found by its bytes, whatever else they ask for', (t) => {
  const long = 'v'.repeat(80);
  const wide = 'snow\u2603';
  const routes: RouteInput[] = [
    ...Array.from({ length: count }, (_, index) => ({
      name: `r${index}`,
      match: { headers: [{ name: 'X-Service', exact: `s${index}` }] },
    })),
    { name: 'post', match: { methods: ['POST'], headers: [{ name: 'X-Service', exact: 's5' }] } },
    { name: 'long', match: { headers: [{ name: 'X-Service', exact: long }] } },
    { name: 'wide', match: { headers: [{ name: 'X-Service', exact: wide }] } },
    { name: 'both', match: { headers: [{ name: 'X-Service', exact: 's1,s2' }] } },
    { name: 'empty', match: { headers: [{ name: 'X-Service', exact: '' }] } },
    { name: 'rest' },
  ];
  const router = routesRouter([
    { name: 'first', match: { methods: ['PUT'], headers: [{ name: 'X-Service', exact: 's5' }] } },
    ...routes,
  ]);
  const nameOf = (values: readonly string[], method = 'GET') =>
    router.match(
      requestStream({ method, headers: values.map((value): [string, string] => ['x-service', value]) }),
    )?.name;
  t.is(nameOf(['s999']), 'r999');
  t.is(nameOf(['s5']), 'r5');
  t.is(nameOf(['s5'], 'PUT'), 'first');
  t.is(nameOf([long]), 'long');
  t.is(nameOf(['s1', 's2']), 'both');
  t.is(nameOf(['']), 'empty');
  t.is(nameOf(['snow&']), 'rest');
  t.is(nameOf(['s1000']), 'rest');
  t.is(nameOf([]), 'rest');
  const s = requestStream();
  s.req.set('x-service', 's17');
  t.is(router.match(s)?.name, 'r17');
});

test('packed names answer as a map does, however many and however alike', (t) => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '.', ':', '\u00ff'), maxLength: 12 });
  fc.assert(
    fc.property(
      fc.array(name, { maxLength: 50 }),
      fc.array(name, { minLength: 1, maxLength: 50 }),
      (more, asked) => {
        const filling = Array.from({ length: 600 }, (_, index): [string, number] => [`n${index}`, index]);
        const map = new Map([
          ...filling,
          ...more.map((each, index): [string, number] => [each, 1000 + index]),
        ]);
        const packed = PackedNames.of(map) as PackedNames;
        for (const each of [...asked, ...more, 'n0', 'n599', 'n600']) {
          const buf = Buffer.from(`x${each}x`, 'latin1');
          t.is(packed.get(buf, 1, buf.length - 1), map.get(each) ?? -1, each);
        }
      },
    ),
    { numRuns: 100, seed: 5 },
  );
  t.is(PackedNames.of([['few', 1]]), null);
});

test('paths nested as deep as they are long, and labels longer than a node, are found', (t) => {
  const deep = Array.from({ length: 3000 }, (_, index) => `/${'a'.repeat(index + 1)}`);
  const long = `/${'xy'.repeat(700)}`;
  const router = routesRouter([
    ...deep.map((path) => ({ name: String(path.length), match: { path } })),
    { name: 'long', match: { path: long } },
    { name: 'longer', match: { segmentPrefix: `${long}z` } },
  ]);
  for (const length of [2, 257, 258, 2999, 3001]) {
    t.is(router.match(requestStream({ path: `/${'a'.repeat(length - 1)}` }))?.name, String(length));
  }
  t.is(router.match(requestStream({ path: `/${'a'.repeat(3001)}` })), null);
  t.is(router.match(requestStream({ path: long }))?.name, 'long');
  t.is(router.match(requestStream({ path: `${long}z/1` }))?.name, 'longer');
  t.is(router.match(requestStream({ path: long.slice(0, -1) })), null);
});

test('a host table without requests gives codes by text', (t) => {
  const table = new HostTable([['a.test'], ['*']], [40, 50]);
  t.is(table.find('A.test:1'), 40);
  t.is(table.find('b.test'), 50);
});
