import test from 'ava';
import fc from 'fast-check';
import { HostTable } from '../../../src/core/route/host-table.ts';

const label = fc.constantFrom('a', 'b', 'api', 'a-b');
const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const port = fc.constantFrom('', ':80', ':81');
const domain = fc
  .tuple(
    fc.oneof(
      host,
      host.map((name) => `*.${name}`),
      host.map((name) => `${name}.*`),
      fc.constant('*'),
    ),
    port,
  )
  .map(([name, suffix]) => name + suffix);

/** Smaller is better: kind, then shorter star, then port first. */
function rank(domainText: string, authority: string): number | null {
  const [, name = '', wantedPort = ''] = /^(.*?)(:\d+)?$/.exec(domainText) ?? [];
  const [, given = '', givenPort = ''] = /^(.*?)(:\d+)?$/.exec(authority) ?? [];
  if (wantedPort !== '' && wantedPort !== givenPort) return null;
  const portRank = wantedPort === '' ? 1 : 0;
  if (name === '*') return 3_000_000 + portRank;
  if (!name.includes('*')) return name === given ? portRank : null;
  const part = name.replace('*', '');
  const fits = name.startsWith('*') ? given.endsWith(part) : given.startsWith(part);
  if (!fits || given.length <= part.length) return null;
  return (name.startsWith('*') ? 1_000_000 : 2_000_000) + (1000 - part.length) * 2 + portRank;
}

test('the domain of the best rank is found, first and again', (t) => {
  fc.assert(
    fc.property(
      fc.uniqueArray(domain, { minLength: 1, maxLength: 12 }),
      fc.tuple(host, port),
      (domains, [name, suffix]) => {
        const authority = name + suffix;
        const table = new HostTable(domains.map((each) => [each]));
        const ranked = domains
          .map((each, index) => ({ index, rank: rank(each, authority) }))
          .filter((each): each is { index: number; rank: number } => each.rank !== null)
          .sort((a, b) => a.rank - b.rank);
        const expected = ranked[0]?.index ?? -1;
        t.is(table.find(authority), expected);
        t.is(table.find(authority.toUpperCase()), expected);
        t.is(table.find(authority), expected);
      },
    ),
    { numRuns: 1000, seed: 3 },
  );
  t.pass();
});

test('invented hosts are answered and do not make the table grow', (t) => {
  const table = new HostTable([['*.a.test'], ['*']]);
  global.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 200_000; i++) table.find(`h${i}.a.test`);
  global.gc?.();
  t.true(process.memoryUsage().heapUsed - before < 2 * 2 ** 20);
  t.is(table.find('x.a.test'), 0);
});
