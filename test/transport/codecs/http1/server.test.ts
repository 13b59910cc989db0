import test from 'ava';
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
