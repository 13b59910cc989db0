import test from 'ava';
import fc from 'fast-check';
import { compilePattern } from '../../../src/core/base/pattern.ts';
import { literalPrefix } from '../../../src/core/route/literal-prefix.ts';

test('the literal prefix of a pattern is what every match must begin with', (t) => {
  const cases: [pattern: string, prefix: string][] = [
    ['/users/[0-9]+', '/users/'],
    ['^/users/.*$', '/users/'],
    ['/v1\\.0/.*', '/v1.0/'],
    ['/a/?', '/a'],
    ['/ab*', '/a'],
    ['/ab+', '/ab'],
    ['/ab{0,3}', '/a'],
    ['/a\\d', '/a'],
    ['/a|/b', ''],
    ['/a(b|c)', '/a'],
    ['/a[|]b', '/a'],
    ['/a[]|]b|/c', ''],
    ['(?i)/a', ''],
    ['/a\\.*', '/a'],
    ['/\\Qa|b\\E', ''],
    ['', ''],
  ];
  for (const [pattern, prefix] of cases) t.is(literalPrefix(pattern), prefix, pattern);
});

test('no text that a pattern matches lacks its literal prefix', (t) => {
  const piece = fc.constantFrom(
    'a',
    'b',
    '/',
    '\\.',
    '.',
    'a?',
    'b*',
    '(a|b)',
    '[ab]',
    'a{0,2}',
    '|',
    'b+',
    '\\d',
    '(?:ab)?',
    '^',
    '$',
  );
  const text = fc
    .array(fc.constantFrom('a', 'b', '/', '.', '1'), { maxLength: 8 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), fc.array(text, { maxLength: 20 }), (pieces, texts) => {
      const source = pieces.join('');
      let pattern: ReturnType<typeof compilePattern>;
      try {
        pattern = compilePattern(source);
      } catch {
        return;
      }
      const prefix = literalPrefix(source);
      for (const each of [...texts, prefix, `${prefix}a`]) {
        if (pattern.matches(each)) t.true(each.startsWith(prefix), `${source} ${each}`);
      }
    }),
    { numRuns: 2000, seed: 5 },
  );
  t.pass();
});
