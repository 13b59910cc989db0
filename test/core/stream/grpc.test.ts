import test from 'ava';
import { Code } from '../../../src/core/base/codes.ts';
import { HeadView } from '../../../src/core/base/head-view.ts';
import { RetryOn } from '../../../src/core/contract/route.ts';
import type { Stream } from '../../../src/core/contract/stream.ts';
import { Verdict } from '../../../src/core/contract/stream-filter.ts';
import { Harness, type HarnessOptions } from './harness.ts';

const grpc = (timeout?: string): Record<string, string> => ({
  'content-type': 'application/grpc+proto',
  te: 'trailers',
  ...(timeout !== undefined && { 'grpc-timeout': timeout }),
});

function begin(options: HarnessOptions, timeout?: string, end = true): { h: Harness; s: Stream } {
  const h = new Harness(options);
  const s = h.begin('POST', { path: '/a.B/c', headers: grpc(timeout), body: 'm', end });
  return { h, s };
}

/** An answer that is nothing but trailers. */
function answerStatus(h: Harness, s: Stream, status: number): void {
  s.res.reset();
  s.res.status = 200;
  s.res.add('content-type', 'application/grpc');
  s.res.add('grpc-status', String(status));
  h.proxy.responseHead(s, null, 0, 0, true);
}

test('every failure of our own is a status of gRPC in the head, and stays one of HTTP in logs and metrics', (t) => {
  const cases: readonly (readonly [number, string, number])[] = [
    [Code.connectFailure, '14', 503],
    [Code.pendingOverflow, '14', 503],
    [Code.upstreamReset, '14', 502],
    [Code.upstreamProtocol, '13', 502],
    [Code.perTryTimeout, '4', 504],
    [Code.bufferOverflow, '8', 503],
  ];
  for (const [code, status, logged] of cases) {
    const { h } = begin({ open: () => code });
    t.is(h.down.status, 200);
    t.deepEqual(h.down.events, ['head end']);
    t.is(h.down.headers['content-type'], 'application/grpc');
    t.is(h.down.headers['grpc-status'], status, String(code));
    t.is(h.down.headers['grpc-message'], h.down.headers['x-heddle-error']);
    t.is(h.down.headers['content-length'], undefined);
    t.is(h.logged[0]?.status, logged);
  }
});

test('no route is UNIMPLEMENTED, no host UNAVAILABLE', (t) => {
  const noRoute = new Harness();
  noRoute.begin('POST', { path: '/none', headers: grpc() });
  t.is(noRoute.down.headers['grpc-status'], '12');
  const noHost = new Harness({ hosts: [] });
  noHost.begin('POST', { headers: grpc() });
  t.is(noHost.down.headers['grpc-status'], '14');
  t.is(noHost.down.headers['grpc-message'], 'no_host');
});

test("filters' answers are mapped by the table of gRPC, their fields and text are kept", (t) => {
  const statuses: readonly (readonly [number, string])[] = [
    [400, '13'],
    [401, '16'],
    [403, '7'],
    [404, '12'],
    [408, '4'],
    [413, '8'],
    [429, '14'],
    [500, '2'],
    [503, '14'],
  ];
  for (const [status, expected] of statuses) {
    const filter = { onRequestHead: (s: Stream) => s.reply(status, 'größer\n', { 'retry-after': '3' }) };
    const { h } = begin({ filters: [filter] });
    t.is(h.down.headers['grpc-status'], expected, String(status));
    t.is(h.down.headers['grpc-message'], 'gr%C3%B6%C3%9Fer');
    t.is(h.down.headers['retry-after'], '3');
    t.is(h.down.body, '');
    t.is(h.logged[0]?.status, status);
  }
  const own = { onRequestHead: (s: Stream) => s.reply(503, '', { 'grpc-status': '9' }) };
  t.is(begin({ filters: [own] }).h.down.headers['grpc-status'], '9');
});

test('a request of another content type keeps answers of HTTP', (t) => {
  for (const type of ['application/json', 'application/grpc-web', 'application/grpcx', 'application/grp']) {
    const h = new Harness({ hosts: [] });
    h.begin('POST', { headers: { 'content-type': type } });
    t.is(h.down.status, 503, type);
    t.is(h.down.headers['grpc-status'], undefined);
  }
  const h = new Harness({ hosts: [] });
  h.begin('POST', { headers: { 'content-type': 'Application/GRPC; charset=utf-8' } });
  t.is(h.down.headers['grpc-status'], '14');
});

test('grpc-timeout is the deadline of the whole call: DEADLINE_EXCEEDED, the upstream is reset', (t) => {
  const { h } = begin({ route: { timeoutMs: 0 } }, '200m');
  h.clock.advance(190);
  t.deepEqual(h.down.events, []);
  h.clock.advance(30);
  t.is(h.down.headers['grpc-status'], '4');
  t.is(h.up.events.at(-1), `reset ${Code.routeTimeout}`);
});

test('the limit of the route still holds, and that of the caller beyond the head of the answer', (t) => {
  const late = begin({ route: { timeoutMs: 100 } }, '10S');
  late.h.clock.advance(120);
  t.is(late.h.down.headers['grpc-status'], '4');

  const { h, s } = begin({ route: { timeoutMs: 100 } }, '1S');
  h.answer(s, 200, 'first', false);
  h.clock.advance(500);
  t.deepEqual(h.down.events, ['head +5'], 'the route asks for the head only');
  h.clock.advance(520);
  t.regex(h.down.events.at(-1) ?? '', /^trailers \{"grpc-status":"4","grpc-message":"route_timeout"\} end$/);
  t.is(h.proxy.active, 0);
});

test('a route may shorten deadlines and give one to callers without; the upstream is told', (t) => {
  for (const timeout of ['10S', undefined]) {
    const { h, s } = begin({ route: { timeoutMs: 0, grpcTimeoutMaxMs: 300 } }, timeout);
    t.is(s.req.get('grpc-timeout'), '300m');
    h.answer(s, 200, 'x', false);
    h.clock.advance(320);
    t.regex(h.down.events.at(-1) ?? '', /"grpc-status":"4"/);
  }
  const { s } = begin({ route: { timeoutMs: 0, grpcTimeoutMaxMs: 300 } }, '100m');
  t.is(s.req.get('grpc-timeout'), '100m');
});

test('a timeout that cannot be read is no timeout', (t) => {
  const { h } = begin({ route: { timeoutMs: 0 } }, '200 m');
  h.clock.advance(10_000);
  t.deepEqual(h.down.events, []);
});

test('an upstream that breaks off in the middle of an answer gives trailers with a status', (t) => {
  const { h, s } = begin({});
  h.answer(s, 200, 'half', false);
  h.proxy.upstreamReset(s, Code.upstreamClosed);
  t.deepEqual(h.down.events, [
    'head +4',
    'trailers {"grpc-status":"14","grpc-message":"upstream_closed"} end',
  ]);
  t.is(h.logged[0]?.code, Code.upstreamClosed);
  t.is(h.proxy.active, 0);
});

test('statuses that the policy names are repeated, whatever the method', (t) => {
  const on = RetryOn.unavailable | RetryOn.cancelled;
  const { h, s } = begin({ retry: { on, numRetries: 2 } });
  answerStatus(h, s, 14);
  answerStatus(h, s, 1);
  t.is(h.ups.length, 3);
  t.is(h.up.body, 'm');
  answerStatus(h, s, 14);
  t.is(h.ups.length, 3, 'exactly numRetries');
  t.is(h.down.headers['grpc-status'], '14');
});

test('statuses that the policy does not name pass, OK most of all', (t) => {
  const all = RetryOn.unavailable | RetryOn.internal | RetryOn.resourceExhausted | RetryOn.deadlineExceeded;
  for (const status of [0, 1, 2, 3, 5, 16]) {
    const { h, s } = begin({ retry: { on: all } });
    answerStatus(h, s, status);
    t.is(h.ups.length, 1);
    t.is(h.down.headers['grpc-status'], String(status));
  }
  for (const status of [4, 8, 13, 14]) {
    const { h, s } = begin({ retry: { on: all } });
    answerStatus(h, s, status);
    t.is(h.ups.length, 2, String(status));
  }
});

test('"unavailable" stands for connections that fail or break, too', (t) => {
  const { h, s } = begin({ retry: { on: RetryOn.unavailable, numRetries: 1 } });
  h.proxy.upstreamReset(s, Code.upstreamClosed);
  t.is(h.ups.length, 2);
  const http = new Harness({ retry: { on: RetryOn.unavailable, numRetries: 1 } });
  const plain = http.begin('GET');
  http.proxy.upstreamReset(plain, Code.upstreamClosed);
  t.is(http.ups.length, 1, 'names of gRPC statuses mean nothing to HTTP');
});

test('what an upstream refused unseen is sent once more without any policy', (t) => {
  const { h, s } = begin({});
  h.proxy.upstreamReset(s, Code.upstreamRefused);
  t.is(h.ups.length, 2);
  t.is(h.up.body, 'm');
  h.proxy.upstreamReset(s, Code.upstreamRefused);
  t.is(h.ups.length, 2);
  t.is(h.down.headers['grpc-status'], '14');
});

test('a failure that gRPC tells in an answer of 200 counts against the host', (t) => {
  const outlierDetection = {
    consecutiveErrors: 2,
    baseEjectionMs: 1000,
    maxEjectionMs: 1000,
    maxEjectionPercent: 100,
  };
  const h = new Harness({ cluster: { outlierDetection } });
  for (let i = 0; i < 6; i++) answerStatus(h, h.begin('POST', { headers: grpc() }), 14);
  t.true(h.cluster.hostSet.all.some((host) => host.ejectedUntilMs > 0));
  const well = new Harness({ cluster: { outlierDetection } });
  for (let i = 0; i < 15; i++) answerStatus(well, well.begin('POST', { headers: grpc() }), 5);
  t.true(
    well.cluster.hostSet.all.every((host) => host.ejectedUntilMs === 0),
    'NOT_FOUND is no failure of a host',
  );
});

test('a trailers hook may put the trailers into the body', (t) => {
  const filter = {
    onResponseTrailers(s: Stream) {
      s.replaceBody(Buffer.from('TRAILERS'));
      return Verdict.continue;
    },
  };
  const { h, s } = begin({ filters: [filter] });
  h.answer(s, 200, 'body', false);
  const trailers = new HeadView();
  trailers.add('grpc-status', '0');
  h.proxy.responseTrailers(s, trailers);
  t.is(h.down.body, 'bodyTRAILERS');
  t.deepEqual(h.down.events, ['head +4', 'data 8 end']);
});
