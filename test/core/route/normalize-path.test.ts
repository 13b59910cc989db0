import test from 'ava';
import fc from 'fast-check';
import type { PathNormalization } from '../../../src/core/contract/pipeline.ts';
import { needsNormalizing, normalizePath } from '../../../src/core/route/normalize-path.ts';
import { requestStream } from './support.ts';

const standard: PathNormalization = { dotSegments: true, mergeSlashes: false, escapedSlashes: 'keep' };

const cases: [options: Partial<PathNormalization>, path: string, normal: string | null][] = [
  // RFC 3986 §5.2.4 and §6.2.2
  [{}, '/a/b/c/./../../g', '/a/g'],
  [{}, '/a/./b', '/a/b'],
  [{}, '/a/b/..', '/a/'],
  [{}, '/a/b/.', '/a/b/'],
  [{}, '/.', '/'],
  [{}, '/a/%2e%2E/b', '/b'],
  [{}, '/a/.%2e/b?c=/../%2e', '/b?c=/../%2e'],
  [{}, '/%61dmin', '/admin'],
  [{}, '/a%2fb', '/a%2Fb'],
  [{}, '/a%7eb%c3%a4', '/a~b%C3%A4'],
  [{}, '/.well-known/x..y', '/.well-known/x..y'],
  [{}, '/a//../b', '/a/b'],
  [{}, '/...', '/...'],
  // Refused
  [{}, '/..', null],
  [{}, '/a/../../b', null],
  [{}, '/a/%', null],
  [{}, '/a/%4', null],
  [{}, '/a/%zz', null],
  [{}, '/%%32e%%32e/', null],
  [{}, '/a%00', null],
  [{}, '/a\\..\\b', null],
  // Options
  [{ dotSegments: false }, '/a/../b', '/a/../b'],
  [{ mergeSlashes: true }, '//a///b//?x=//', '/a/b/?x=//'],
  [{ mergeSlashes: false }, '//a', '//a'],
  [{ escapedSlashes: 'reject' }, '/a%2Fb', null],
  [{ escapedSlashes: 'reject' }, '/a%5cb', null],
  [{ escapedSlashes: 'unescape' }, '/a%2F..%2fb', '/b'],
  [{ escapedSlashes: 'unescape' }, '/a%5c..%5Cb', '/b'],
  [{ escapedSlashes: 'unescape', mergeSlashes: true }, '/a%2f%2fb', '/a/b'],
  // Not a path
  [{}, '*', '*'],
];

for (const [options, path, normal] of cases) {
  const used = Object.keys(options).length === 0 ? '' : ` with ${JSON.stringify(options)}`;
  test(`${path} becomes ${normal ?? 'a refusal'}${used}`, (t) => {
    const all = { ...standard, ...options };
    t.is(normalizePath(path, all), normal);
    const s = requestStream({ path });
    if (normal !== path) t.true(needsNormalizing(s.req, all), 'the fast check sees it');
    s.req.path = path;
    if (normal !== path) t.true(needsNormalizing(s.req, all), 'the fast check sees it in a changed path');
  });
}

const anyPath = fc
  .array(
    fc.constantFrom('/', '.', '..', '%2e', '%2F', '%5c', '%41', '%', 'a', 'B', '\\', '?', '//', '%25', '2e'),
    { maxLength: 10 },
  )
  .map((parts) => `/${parts.join('')}`);
const anyOptions = fc.record({
  dotSegments: fc.boolean(),
  mergeSlashes: fc.boolean(),
  escapedSlashes: fc.constantFrom('keep', 'reject', 'unescape') as fc.Arbitrary<
    PathNormalization['escapedSlashes']
  >,
});

test('a normal path stays as it is, and the fast check never overlooks one that is not normal', (t) => {
  fc.assert(
    fc.property(anyPath, anyOptions, (path, options) => {
      const normal = normalizePath(path, options);
      if (!needsNormalizing(requestStream({ path }).req, options)) t.is(normal, path);
      if (normal === null) return;
      t.is(normalizePath(normal, options), normal, path);
      const [plain = ''] = normal.split('?');
      t.true(plain.startsWith('/'));
      if (options.dotSegments) t.notRegex(plain, /\/\.{1,2}(\/|$)/);
      if (options.mergeSlashes) t.notRegex(plain, /\/\//);
    }),
    { numRuns: 3000, seed: 9 },
  );
});
