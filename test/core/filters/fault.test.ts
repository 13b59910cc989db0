import test from 'ava';
import type { Stream } from '../../../src/core/contract/stream.ts';
import { fault } from '../../../src/core/filters/fault.ts';
import {
  counted,
  createFilter,
  createRig,
  onRequest,
  parseConfig,
  type Rig,
  route,
  streamOf,
} from './harness.ts';

const request = (rig: Rig, headers = ''): Stream =>
  streamOf(`GET / HTTP/1.1\r\nhost: a\r\nx-user: tester\r\n${headers}`, rig.core);

test('a delay stops the stream and resumes it when the time is over', (t) => {
  const rig = createRig();
  const filter = createFilter(fault, { delay: { fixedMs: 500 } }, rig);
  const s = request(rig);
  t.is(onRequest(filter, s), 1);
  rig.clock.advance(499);
  t.is(rig.core.resumed.length, 0);
  rig.clock.advance(1);
  t.deepEqual(rig.core.resumed, [{ s, gen: s.gen }]);
  t.is(s.flags, 'DI');
  filter.onStreamEnd?.(s);
  t.is(counted(rig, 'heddle_filter_fault_active'), 0);
});

test('an abort answers at once, or after the delay', (t) => {
  const rig = createRig();
  const s = request(rig);
  t.is(onRequest(createFilter(fault, { abort: { status: 418 } }, rig), s), 3);
  t.is(s.res.status, 418);
  t.is(s.flags, 'FI');
  const later = request(rig);
  const filter = createFilter(fault, { delay: { fixedMs: 10 }, abort: { status: 503 } }, rig);
  t.is(onRequest(filter, later), 1);
  rig.clock.advance(10);
  t.deepEqual(rig.core.replies, [{ status: 503, body: 'fault_abort\n' }]);
  t.is(later.flags, 'DI,FI');
});

test('a stream that ends while it is delayed takes its timer with it', (t) => {
  const rig = createRig();
  const filter = createFilter(fault, { delay: { fixedMs: 500 } }, rig);
  const s = request(rig);
  onRequest(filter, s);
  filter.onStreamEnd?.(s);
  s.recycle();
  t.is(rig.clock.pending, 0);
  rig.clock.advance(1000);
  t.is(rig.core.resumed.length, 0);
});

test('the share is what was configured', (t) => {
  const rig = createRig();
  const filter = createFilter(fault, { abort: { status: 503, percent: 25 } }, rig);
  let aborted = 0;
  for (let i = 0; i < 20_000; i++) {
    const s = request(rig);
    if (onRequest(filter, s) === 3) aborted++;
    filter.onStreamEnd?.(s);
  }
  // Four standard deviations of a binomial draw.
  t.true(Math.abs(aborted - 5000) < 4 * Math.sqrt(20_000 * 0.25 * 0.75), String(aborted));
  t.is(counted(rig, 'heddle_filter_fault_aborted_total'), aborted);
  t.is(counted(rig, 'heddle_filter_fault_checked_total'), 20_000);
});

test('callers choose where headers are allowed to; the configured share is the bound', (t) => {
  const rig = createRig();
  const byHeader = createFilter(
    fault,
    { delay: { byHeader: true }, abort: { byHeader: true, percent: 100 } },
    rig,
  );
  const abort = request(rig, 'x-envoy-fault-abort-request: 507\r\n');
  t.is(onRequest(byHeader, abort), 3);
  t.is(abort.res.status, 507);
  const delay = request(rig, 'x-heddle-fault-delay-request: 70\r\n');
  t.is(onRequest(byHeader, delay), 1);
  rig.clock.advance(70);
  t.is(rig.core.resumed.length, 1);
  for (const headers of [
    '',
    'x-heddle-fault-abort-request: 99\r\n',
    'x-heddle-fault-abort-request: 5e2\r\n',
    'x-heddle-fault-abort-request: 500\r\nx-heddle-fault-abort-request-percentage: 0\r\n',
  ]) {
    t.is(onRequest(byHeader, request(rig, headers)), 0, headers);
  }
  const never = createFilter(fault, { abort: { byHeader: true, percent: 0 } }, rig);
  t.is(
    onRequest(
      never,
      request(rig, 'x-heddle-fault-abort-request: 500\r\nx-heddle-fault-abort-request-percentage: 100\r\n'),
    ),
    0,
  );
  const ignoring = createFilter(fault, { abort: { status: 503, percent: 0 } }, rig);
  t.is(onRequest(ignoring, request(rig, 'x-heddle-fault-abort-request: 500\r\n')), 0);
});

test('headers and cluster narrow it down', (t) => {
  const rig = createRig();
  const config = { abort: { status: 503 }, cluster: 'users', headers: [{ name: 'x-user', exact: 'tester' }] };
  const filter = createFilter(fault, config, rig);
  const to = (name: string, text?: string): Stream => {
    const s = text === undefined ? request(rig) : streamOf(text);
    s.route = route({ action: { kind: 'forward', cluster: { name, current: null } } });
    return s;
  };
  t.is(onRequest(filter, to('users')), 3);
  t.is(onRequest(filter, to('orders')), 0);
  t.is(onRequest(filter, to('users', 'GET / HTTP/1.1\r\nx-user: other\r\n')), 0);
  const off = request(rig);
  off.route = route({ filterConfigs: [false] });
  t.is(onRequest(filter, off), 0);
});

test('no more faults at once than allowed', (t) => {
  const rig = createRig();
  const filter = createFilter(fault, { delay: { fixedMs: 50 }, maxActive: 2 }, rig);
  const streams = [request(rig), request(rig), request(rig)];
  t.deepEqual(
    streams.map((s) => onRequest(filter, s)),
    [1, 1, 0],
  );
  t.is(counted(rig, 'heddle_filter_fault_active'), 2);
  t.is(counted(rig, 'heddle_filter_fault_overflow_total'), 1);
  for (const s of streams) filter.onStreamEnd?.(s);
  t.is(counted(rig, 'heddle_filter_fault_active'), 0);
  t.is(onRequest(filter, request(rig)), 1);
});

test('a slow response takes as long as its bytes need', (t) => {
  const rig = createRig();
  const filter = createFilter(fault, { rateLimit: { kibPerSecond: 64 } }, rig);
  const s = request(rig);
  t.is(onRequest(filter, s), 0);
  const body = Buffer.alloc(16 * 1024);
  let elapsedMs = 0;
  for (let i = 0; i < 8; i++) {
    if (filter.onResponseBody?.(s, body, 0, body.length, i === 7) === 0) continue;
    const before = rig.core.resumed.length;
    while (rig.core.resumed.length === before) {
      rig.clock.advance(1);
      elapsedMs++;
    }
  }
  t.true(Math.abs(elapsedMs - 2000) <= 16, String(elapsedMs));
  t.is(createFilter(fault, { abort: { status: 500 } }, rig).onResponseBody, undefined);
});

test('a route that wants slow bodies where the filter has no rateLimit is an error, not silence', (t) => {
  const rig = createRig();
  const filter = createFilter(fault, { abort: { status: 500, percent: 0 } }, rig);
  const s = request(rig);
  s.route = route({ filterConfigs: [parseConfig(fault.config, { rateLimit: { kibPerSecond: 1 } })] });
  t.throws(() => onRequest(filter, s), { message: /ERR_CONFIG_INVALID/ });
  for (const bad of [
    { delay: { fixedMs: 0 } },
    { abort: { status: 199 } },
    { abort: { percent: 101 } },
    { aborts: {} },
  ]) {
    t.throws(() => parseConfig(fault.config, bad));
  }
});
