import test from 'ava';
import { Code } from '../../../../src/core/base/codes.ts';
import { HeadView } from '../../../../src/core/base/head-view.ts';
import type { Stream } from '../../../../src/core/contract/stream.ts';
import { answer, createServer } from './harness.ts';

const date = 'date: Thu, 01 Jan 2026 00:00:00 GMT';
const get = 'GET /a?b=1 HTTP/1.1\r\nHost: one.test\r\nAccept: */*\r\n\r\n';

test('a request is delivered with its head and answered in one write', (t) => {
  const { sink, wire, codec } = createServer();
  sink.onRequestEnd = (s) => answer(s, 200, 'hello', { 'x-a': '1' });
  wire.send(get);
  t.is(sink.requests[0]?.line, 'GET /a?b=1 one.test');
  t.deepEqual(sink.requests[0]?.headers, { host: 'one.test', accept: '*/*' });
  t.is(wire.writes.length, 1);
  t.is(wire.text, `HTTP/1.1 200 OK\r\nx-a: 1\r\n${date}\r\ncontent-length: 5\r\n\r\nhello`);
  t.true(codec.isIdle());
});

test('pipelined requests are answered in order, the next one parsed only after the answer', (t) => {
  const { sink, wire, owner } = createServer();
  wire.send(get + get.replace('/a', '/b') + get.replace('/a', '/c'));
  t.is(sink.requests.length, 1);
  for (let i = 0; i < 3; i++) answer((sink.requests[i] as (typeof sink.requests)[0]).stream, 200, String(i));
  t.deepEqual(
    sink.requests.map((each) => each.line.slice(4, 6)),
    ['/a', '/b', '/c'],
  );
  t.deepEqual(
    wire.writes.map((each) => each.toString().at(-1)),
    ['0', '1', '2'],
  );
  t.is(owner.idleCount, 1);
});

test('a body arrives as it comes, chunked or by length, with trailers', (t) => {
  const { sink, wire } = createServer();
  sink.onRequestEnd = (s) => answer(s, 204);
  wire.send('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345');
  t.is(sink.requests[0]?.body, '12345');
  t.false(sink.requests[0]?.end);
  wire.send('67890');
  t.is(sink.requests[0]?.body, '1234567890');
  t.true(sink.requests[0]?.end);
  wire.send(
    'POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 7\r\n\r\n',
  );
  t.is(sink.requests[1]?.body, 'abcde');
  t.deepEqual(sink.requests[1]?.trailers, { 'x-sum': '7' });
  t.is(wire.writes.length, 2);
});

test('read-ahead of a pipelining client is bounded, then the wire pauses until answers went out', (t) => {
  const { sink, wire } = createServer({ limits: { maxPipelined: 1 } });
  wire.send(get);
  wire.send(get.repeat(40));
  t.true(wire.isPaused);
  for (let i = 0; i < sink.requests.length; i++)
    answer((sink.requests[i] as (typeof sink.requests)[0]).stream, 200);
  t.is(sink.requests.length, 41);
  t.false(wire.isPaused);
});

test('no request is begun while the answers before it do not leave', (t) => {
  const { sink, wire } = createServer();
  sink.onRequestEnd = (s) => answer(s, 200);
  wire.isStuck = true;
  wire.send(get + get + get);
  t.is(sink.requests.length, 1);
  wire.drain();
  t.is(sink.requests.length, 3);
});

test('an HTTP/1.0 client gets keep-alive only when it asks, and the end of the connection where no length is known', (t) => {
  const first = createServer();
  first.sink.onRequestEnd = (s) => answer(s, 200, 'x');
  first.wire.send('GET / HTTP/1.0\r\n\r\n');
  t.regex(first.wire.text, /connection: close\r\n/);
  t.true(first.wire.isEnded);

  const second = createServer();
  second.sink.onRequestEnd = (s) => answer(s, 200, 'x');
  second.wire.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  t.regex(second.wire.text, /connection: keep-alive\r\n/);
  t.false(second.wire.isEnded);

  const third = createServer();
  third.wire.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  const s = third.sink.requests[0]?.stream as Stream;
  s.res.status = 200;
  s.down?.sendHead(s, s.res, null, 0, 0, false);
  s.down?.sendData(s, Buffer.from('abc'), 0, 3, true);
  t.regex(third.wire.text, /connection: close\r\n\r\nabc$/);
  t.notRegex(third.wire.text, /transfer-encoding|content-length/);
  t.true(third.wire.isEnded);
});

test('an answer without length is chunked for an HTTP/1.1 client, with trailers', (t) => {
  const { sink, wire, codec } = createServer();
  wire.send(get);
  const s = sink.requests[0]?.stream as Stream;
  s.res.status = 200;
  s.down?.sendHead(s, s.res, Buffer.from('one'), 0, 3, false);
  s.down?.sendData(s, Buffer.from('twenty bytes of data'), 0, 20, false);
  const trailers = new HeadView();
  trailers.add('x-sum', '1');
  s.down?.sendTrailers(s, trailers);
  t.true(
    wire.text.endsWith(
      'transfer-encoding: chunked\r\n\r\n3\r\none\r\n14\r\ntwenty bytes of data\r\n0\r\nx-sum: 1\r\n\r\n',
    ),
  );
  t.is(wire.writes.length, 3);
  t.true(codec.isIdle());
});

test('a large owned body leaves as a view behind its head, a borrowed one in the same write', (t) => {
  const { sink, wire } = createServer();
  const body = Buffer.alloc(40_000, 97);
  for (const isOwned of [true, false]) {
    wire.writes.length = 0;
    wire.send(get);
    const s = sink.requests.at(-1)?.stream as Stream;
    s.res.status = 200;
    s.responseOwned = isOwned;
    s.down?.sendHead(s, s.res, body, 0, body.length, true);
    t.is(wire.writes.length, isOwned ? 2 : 1);
    t.true(wire.text.endsWith(`content-length: 40000\r\n\r\n${'a'.repeat(40_000)}`));
  }
});

test('HEAD, 204 and 304 have no body whatever the answer says', (t) => {
  const { sink, wire } = createServer();
  sink.onRequestEnd = (s, index) =>
    answer(s, [200, 204, 304][index] as number, 'body', { 'content-length': '4' });
  wire.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
  const head = wire.takeText();
  wire.send(get);
  const noContent = wire.takeText();
  wire.send(get);
  const notModified = wire.takeText();
  for (const text of [head, noContent, notModified]) t.true(text.endsWith('\r\n\r\n'));
  t.notRegex(noContent, /content-length/);
});

test('Content-Length on the wire is what is sent, whatever a filter wrote', (t) => {
  const { sink, wire } = createServer();
  sink.onRequestEnd = (s) =>
    answer(s, 200, 'four', { 'content-length': '99', 'transfer-encoding': 'chunked', connection: 'x' });
  wire.send(get);
  t.regex(wire.text, /\r\ncontent-length: 4\r\n\r\nfour$/);
  t.notRegex(wire.text, /99|chunked|connection/);
});

test('an answer that is cut short ends the connection', (t) => {
  const { sink, wire } = createServer();
  wire.send(get);
  const s = sink.requests[0]?.stream as Stream;
  s.res.status = 200;
  s.res.contentLength = 10;
  s.down?.sendHead(s, s.res, Buffer.from('four'), 0, 4, false);
  s.down?.sendData(s, Buffer.alloc(0), 0, 0, true);
  t.true(wire.destroyedWith >= 0);
});

test('bytes beyond the announced length never leave', (t) => {
  const { sink, wire } = createServer();
  wire.send(get);
  const s = sink.requests[0]?.stream as Stream;
  s.res.status = 200;
  s.res.contentLength = 3;
  s.down?.sendHead(s, s.res, Buffer.from('ab'), 0, 2, false);
  s.down?.sendData(s, Buffer.from('cdHTTP/1.1 200 smuggled'), 0, 23, true);
  t.true(wire.text.endsWith('\r\n\r\nabc'));
});

test('Expect: the 100 of the upstream is passed on, and an early answer without it closes', (t) => {
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n';
  const first = createServer();
  first.wire.send(head);
  t.is(first.sink.requests[0]?.headers['expect'], '100-continue');
  const s = first.sink.requests[0]?.stream as Stream;
  s.res.status = 100;
  s.down?.sendInformational(s, s.res);
  t.is(first.wire.takeText(), 'HTTP/1.1 100 Continue\r\n\r\n');
  first.wire.send('abc');
  answer(s, 200);
  t.notRegex(first.wire.text, /connection: close/);
  t.true(first.codec.isIdle());

  const second = createServer();
  second.wire.send(head);
  answer(second.sink.requests[0]?.stream as Stream, 417);
  t.regex(second.wire.text, /connection: close/);
  t.true(second.wire.isEnded);
});

test('an early answer: a short rest of the body is drained, a long one closes the connection', (t) => {
  const first = createServer();
  first.wire.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc');
  answer(first.sink.requests[0]?.stream as Stream, 403);
  t.notRegex(first.wire.takeText(), /connection: close/);
  first.sink.onRequestEnd = (s) => answer(s, 200);
  first.wire.send(Buffer.alloc(997, 120));
  first.wire.send(get);
  t.regex(first.wire.text, /^HTTP\/1\.1 200/);

  const second = createServer();
  second.wire.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc');
  answer(second.sink.requests[0]?.stream as Stream, 403);
  t.regex(second.wire.text, /connection: close/);
  t.true(second.wire.isEnded);

  const third = createServer({ config: { maxDrainBytes: 100 } });
  third.wire.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
  answer(third.sink.requests[0]?.stream as Stream, 403);
  t.false(third.wire.isEnded);
  third.wire.send(`80\r\n${'x'.repeat(128)}\r\n`);
  t.true(third.wire.isEnded);
});

test('a paused body goes on being read after an early answer', (t) => {
  const { sink, wire } = createServer();
  wire.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
  const s = sink.requests[0]?.stream as Stream;
  s.down?.pauseRead(s);
  t.true(wire.isPaused);
  answer(s, 403);
  t.false(wire.isPaused);
});

test('101 opens a tunnel: bytes pass untouched in both directions, each ends by itself', (t) => {
  const { sink, wire, flush } = createServer();
  wire.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly');
  const message = sink.requests[0] as (typeof sink.requests)[0];
  const s = message.stream;
  t.is(message.body, '');
  s.res.status = 101;
  s.res.upgrade = 'websocket';
  s.isTunnel = true;
  s.down?.sendHead(s, s.res, Buffer.from('first'), 0, 5, false);
  t.is(
    wire.takeText(),
    'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nfirst',
  );
  t.is(message.body, '', 'not from inside sendHead');
  flush();
  t.is(message.body, 'early');
  wire.send('GET / HTTP/1.1\r\n\r\n');
  t.is(message.body, 'earlyGET / HTTP/1.1\r\n\r\n');
  s.down?.sendData(s, Buffer.from('\x00\x01'), 0, 2, false);
  t.is(wire.takeText(), '\x00\x01');
  wire.finish();
  t.true(message.end);
  t.false(wire.isEnded);
  s.down?.sendData(s, Buffer.alloc(0), 0, 0, true);
  t.true(wire.isEnded);
});

test('an upgrade that is not answered by 101 stays HTTP', (t) => {
  const { sink, wire } = createServer();
  sink.onRequestEnd = (s) => answer(s, 200, 'no');
  wire.send(`GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${get}`);
  t.is(sink.requests.length, 2);
});

test('bytes behind a CONNECT are not taken for a request before the answer', (t) => {
  const { sink, wire } = createServer();
  wire.send(`CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n${get}`);
  t.is(sink.requests.length, 1);
  t.is(sink.requests[0]?.body, '');
  answer(sink.requests[0]?.stream as Stream, 403);
  t.is(sink.requests.length, 2);
});

test('a client that goes away resets its stream', (t) => {
  const aborted = createServer();
  aborted.wire.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
  aborted.wire.close(Code.downstreamClosed);
  t.is(aborted.sink.requests[0]?.reset, Code.downstreamClosed);
  t.is(aborted.owner.closedCount, 1);

  const finished = createServer();
  finished.wire.send(get);
  finished.wire.finish();
  t.is(finished.sink.requests[0]?.reset, Code.downstreamClosed);

  const patient = createServer({ config: { allowHalfClose: true } });
  patient.wire.send(get);
  patient.wire.finish();
  t.is(patient.sink.requests[0]?.reset, -1);
  answer(patient.sink.requests[0]?.stream as Stream, 200);
  t.regex(patient.wire.text, /^HTTP\/1\.1 200/);
  t.true(patient.wire.isEnded);
});

test('a malformed body resets the stream and is answered when nothing was sent yet', (t) => {
  const { sink, wire } = createServer();
  wire.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  wire.send('zz\r\n');
  t.is(sink.requests[0]?.reset, Code.downstreamProtocol);
  t.regex(wire.text, /^HTTP\/1\.1 400/);

  const late = createServer();
  late.wire.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  const s = late.sink.requests[0]?.stream as Stream;
  s.res.status = 200;
  s.down?.sendHead(s, s.res, null, 0, 0, false);
  late.wire.send('zz\r\n');
  t.is(late.sink.requests[0]?.reset, Code.downstreamProtocol);
  t.true(late.wire.destroyedWith >= 0);
  t.notRegex(late.wire.text, / 400 /);
});

test('a body above the limit is refused with 413, announced or not', (t) => {
  const announced = createServer({ limits: { maxBodyBytes: 10 } });
  announced.wire.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n');
  t.regex(announced.wire.text, /^HTTP\/1\.1 413/);
  t.is(announced.sink.requests.length, 0);

  const streamed = createServer({ limits: { maxBodyBytes: 10 } });
  streamed.wire.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n');
  streamed.wire.send('6\r\nabcdef\r\n');
  t.is(streamed.sink.requests[0]?.reset, Code.payloadTooLarge);
  t.regex(streamed.wire.text, /^HTTP\/1\.1 413/);
});

test('time limits: idle closes silently, a slow head and a slow body get 408', (t) => {
  const idle = createServer();
  idle.clock.advance(59_000);
  t.false(idle.wire.isEnded);
  idle.clock.advance(1100);
  t.true(idle.wire.isEnded);
  t.is(idle.wire.text, '');

  const used = createServer();
  used.sink.onRequestEnd = (s) => answer(s, 200);
  used.clock.advance(50_000);
  used.wire.send(get);
  used.clock.advance(59_000);
  t.false(used.wire.isEnded);
  used.clock.advance(16_100);
  t.true(used.wire.isEnded, 'at most a quarter late');

  const slowHead = createServer();
  slowHead.wire.send('GET / HT');
  slowHead.clock.advance(9000);
  slowHead.wire.send('TP/1.1\r\nHost: a\r\n');
  slowHead.clock.advance(1100);
  t.regex(slowHead.wire.text, /^HTTP\/1\.1 408[\s\S]*x-heddle-error: header_timeout/);

  const slowBody = createServer();
  slowBody.wire.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n');
  slowBody.clock.advance(299_000);
  slowBody.wire.send('a');
  slowBody.clock.advance(1100);
  t.is(slowBody.sink.requests[0]?.reset, Code.requestTimeout);
  t.regex(slowBody.wire.text, /^HTTP\/1\.1 408[\s\S]*x-heddle-error: request_timeout/);

  const working = createServer();
  working.wire.send(get);
  working.clock.advance(500_000);
  t.false(working.wire.isEnded, 'the answer has no limit here');
});

test('a client that does not close after the last answer is dropped after the linger time', (t) => {
  const { sink, wire, clock } = createServer();
  sink.onRequestEnd = (s) => answer(s, 200);
  wire.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  t.true(wire.isEnded);
  t.is(wire.destroyedWith, -1);
  clock.advance(2100);
  t.true(wire.destroyedWith >= 0);
});

test('drain: an idle connection closes at once, a busy one after its answer says so', (t) => {
  const idle = createServer();
  idle.codec.drain();
  t.true(idle.wire.isEnded);

  const busy = createServer();
  busy.wire.send(get);
  busy.codec.drain();
  t.false(busy.wire.isEnded);
  answer(busy.sink.requests[0]?.stream as Stream, 200);
  t.regex(busy.wire.text, /connection: close\r\n/);
  t.true(busy.wire.isEnded);
});

test('maxRequestsPerConnection closes with the last of them', (t) => {
  const { sink, wire } = createServer({ limits: { maxRequestsPerConnection: 2 } });
  sink.onRequestEnd = (s) => answer(s, 200);
  wire.send(get + get + get);
  t.is(sink.requests.length, 2);
  t.notRegex(wire.writes[0]?.toString() as string, /connection: close/);
  t.regex(wire.writes[1]?.toString() as string, /connection: close/);
});

test('a connection moves between two requests with the bytes of an unfinished head', (t) => {
  const old = createServer();
  old.sink.onRequestEnd = (s) => answer(s, 200);
  old.wire.send(get + get.slice(0, 20));
  const state = old.codec.exportState();
  t.is(state?.unread.toString(), get.slice(0, 20));
  t.is(old.codec.cutPoint(), 20);

  const fresh = createServer();
  fresh.sink.onRequestEnd = (s) => answer(s, 200);
  fresh.codec.importState(structuredClone(state) as NonNullable<typeof state>);
  fresh.wire.send(get.slice(20));
  t.is(fresh.sink.requests[0]?.line, 'GET /a?b=1 one.test');

  const busy = createServer();
  busy.wire.send(get);
  t.is(busy.codec.exportState(), null);
  t.throws(() => fresh.codec.importState({ codec: 'http1', version: 9, unread: Buffer.alloc(0), data: {} }), {
    code: 'ERR_BUG',
  });
});

test('back-pressure: a full wire is reported, and its drain resumes the sender', (t) => {
  const { sink, wire } = createServer();
  wire.send(get);
  const s = sink.requests[0]?.stream as Stream;
  wire.isStuck = true;
  s.res.status = 200;
  t.false(s.down?.sendHead(s, s.res, Buffer.from('x'), 0, 1, false));
  wire.drain();
  t.is(sink.writables, 1);
});

test('reset drops the connection', (t) => {
  const { sink, wire } = createServer();
  wire.send(get);
  const s = sink.requests[0]?.stream as Stream;
  s.down?.reset(s, Code.filterClosed);
  t.is(wire.destroyedWith, Code.filterClosed);
  t.is(sink.requests[0]?.reset, -1);
});

test('held bytes count against the budget and are given back', (t) => {
  const { sink, wire, context } = createServer();
  wire.send(get + get);
  t.is(context.budget.heldBytes, get.length);
  answer(sink.requests[0]?.stream as Stream, 200);
  t.is(context.budget.heldBytes, 0);
  wire.send(get);
  wire.send('GET / HT');
  t.is(context.budget.heldBytes, get.length + 8);
  wire.close(Code.downstreamClosed);
  t.is(context.budget.heldBytes, 0);
});
