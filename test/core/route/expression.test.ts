import test from 'ava';
import { HeddleError } from '../../../src/core/base/errors.ts';
import type { Stream } from '../../../src/core/contract/stream.ts';
import { compileExpression, expressionProblem } from '../../../src/core/route/expression.ts';
import { type RequestLine, requestStream, routesRouter } from './support.ts';

function streamOf(request: RequestLine): Stream {
  const s = requestStream(request);
  s.protocol = 'http1';
  s.peer = {
    address: '10.0.0.7',
    port: 5000,
    localPort: 8080,
    spiffeId: null,
    certificateSha256: null,
    serverName: 'api.test',
  };
  return s;
}

test('an expression reads method, path, headers, query, cookies, metadata, source and listener', (t) => {
  const s = streamOf({
    method: 'POST',
    path: '/a/b?x=1&y=%20&x=2',
    headers: [
      ['X-A', '1'],
      ['x-a', '2'],
      ['cookie', 'c="v"; d=e'],
    ],
  });
  s.setMetadata('tier', 'gold');
  const holding = [
    'request.method == "POST" && request.path == "/a/b" && request.host == "a.test"',
    'request.headers["x-a"] == "1,2"',
    '"x-b" in request.headers == false',
    'request.query["x"] == "1" && request.query["y"] == " "',
    'request.cookies["c"] == "v" && request.cookies.d == "e"',
    'metadata.tier == "gold"',
    'source.address.startsWith("10.") && source.port == 5000',
    'listener.port == 8080 && listener.serverName == "api.test"',
    'request.path.matches("^/a") && !request.path.matches("^/b")',
    '(request.path).matches("b$") || false',
    'request.headers.exists(name, name.matches("^x-"))',
    'request.protocol == "http1" && request.service == ""',
  ];
  for (const source of holding) {
    t.true(compileExpression(source, () => t.fail(source)).holds(s), source);
  }
});

test('an evaluation that fails is no match and is counted', (t) => {
  let failures = 0;
  const expression = compileExpression('request.headers["x-none"] == "1"', () => {
    failures += 1;
  });
  t.false(expression.holds(streamOf({})));
  t.false(expression.holds(streamOf({})));
  t.is(failures, 2);
  t.true(expression.holds(streamOf({ headers: [['x-none', '1']] })));
  t.is(failures, 2);
});

test('what cannot be compiled, has another type or is too large is told', (t) => {
  const cases: [source: string, reason: RegExp][] = [
    ['request.path ==', /Unexpected token/],
    ['request.nothing == "x"', /No such key: nothing/],
    ['user.name == "x"', /Unknown variable/],
    ['request.path + 1 == "x"', /no such overload/],
    ['request.path', /gives string/],
    ['request.path.matches("(?=a)")', /ERR_PATTERN_INVALID/],
    ['request.path.matches(request.host)', /a text that stands there/],
    [`request.path == "${'x'.repeat(5000)}"`, /longer than 4096/],
    [Array.from({ length: 300 }, () => '1==1').join('&&'), /maxAstNodes/],
    [`${'('.repeat(40)}true${')'.repeat(40)}`, /maxDepth/],
  ];
  for (const [source, reason] of cases)
    t.regex(expressionProblem(source) ?? 'no problem', reason, source.slice(0, 80));
  t.is(expressionProblem('request.method == "GET"'), null);
});

test('a pattern that hangs other engines runs in linear time', (t) => {
  const expression = compileExpression('request.path.matches("^/(a+)+$")', () => undefined);
  const startMs = performance.now();
  t.false(expression.holds(streamOf({ path: `/${'a'.repeat(4000)}!` })));
  t.true(performance.now() - startMs < 1000);
});

test('a route with an expression takes its turn among the others', (t) => {
  const router = routesRouter([
    { name: 'beta', match: { prefix: '/a', expression: 'request.headers["x-beta"] == "1"' } },
    { name: 'rest' },
  ]);
  t.is(router.match(streamOf({ path: '/a', headers: [['x-beta', '1']] }))?.name, 'beta');
  t.is(router.match(streamOf({ path: '/a' }))?.name, 'rest');
  t.is(router.match(streamOf({ path: '/b', headers: [['x-beta', '1']] }))?.name, 'rest');
  const thrown = t.throws(() => routesRouter([{ match: { expression: '1 + 1' } }]), {
    instanceOf: HeddleError,
  });
  t.is(thrown.code, 'ERR_EXPRESSION_INVALID');
});
