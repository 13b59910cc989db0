import test from 'ava';
import type { RouteInput } from '../../../src/core/config/input.ts';
import { type RequestLine, requestStream, routesRouter } from './support.ts';

function rewritten(
  route: RouteInput,
  request: RequestLine,
): { path: string | null; authority: string | null } {
  const s = requestStream(request);
  const found = routesRouter([route]).match(s);
  if (found === null) throw new Error(`no route for ${request.path}`);
  return {
    path: found.rewrite?.path(s) ?? null,
    authority: found.rewrite?.authority(s) ?? null,
  };
}

test('a regex rewrite replaces every match, knows groups, and keeps the query', (t) => {
  const cases: [pattern: string, substitution: string, path: string, expected: string][] = [
    [
      '^/service/([^/]+)(/.*)$',
      '\\2/instance/\\1',
      '/service/foo/v1/api?q=/service/',
      '/v1/api/instance/foo?q=/service/',
    ],
    ['one', 'two', '/xxx/one/yyy/one/zzz', '/xxx/two/yyy/two/zzz'],
    ['^(.*?)one(.*)$', '\\1two\\2', '/xxx/one/yyy/one/zzz', '/xxx/two/yyy/one/zzz'],
    ['(?i)/XXX/', '/yyy/', '/aaa/XxX/bbb', '/aaa/yyy/bbb'],
    ['^/', '', '/a', '/a'],
    ['/a', '\\0\\\\', '/a', '/a\\'],
    ['a', '? #', '/a', '/%3F%20%23'],
  ];
  for (const [pattern, substitution, path, expected] of cases) {
    t.is(rewritten({ rewrite: { regex: { pattern, substitution } } }, { path }).path, expected, pattern);
  }
});

test('a template rewrite puts in what the match captured', (t) => {
  const route: RouteInput = {
    match: { template: '/users/{id}/{kind=a/*}/{rest=**}' },
    rewrite: { template: '/v2/{rest}/of/{id}-{kind}' },
  };
  t.is(rewritten(route, { path: '/users/7/a/b/x/y?q' }).path, '/v2/x/y/of/7-a/b?q');
  t.is(rewritten(route, { path: '/users/7/a/b/' }).path, '/v2//of/7-a/b');
  const folded = { match: { template: '/Users/{id}', caseSensitive: false }, rewrite: { template: '/{id}' } };
  t.is(rewritten(folded, { path: '/USERS/Me' }).path, '/Me');
  const s = requestStream({ path: '/users/7' });
  const changed = routesRouter([
    { match: { template: '/users/{id}' }, rewrite: { template: '/{id}' } },
  ]).match(s);
  s.req.path = '/other';
  t.is(changed?.rewrite?.path(s), null);
});

test('an authority from a header is taken when it is one', (t) => {
  const route: RouteInput = { rewrite: { hostFromHeader: 'X-Host' } };
  const cases: [value: string | null, expected: string | null][] = [
    ['b.test:81', 'b.test:81'],
    ['[::1]:80', '[::1]:80'],
    ['', null],
    ['a b', null],
    ['a/b', null],
    ['user@b.test', null],
    [null, null],
  ];
  for (const [value, expected] of cases) {
    const headers: [string, string][] = value === null ? [] : [['x-host', value]];
    t.is(rewritten(route, { headers }).authority, expected, String(value));
  }
});
