import test from 'ava';
import { createClient, fillRequest } from './harness.ts';

test('a request leaves in one write, the connection is given back before the last event', (t) => {
  const { sink, wire, owner, codec } = createClient();
  const s = sink.acquire();
  codec.bind(s);
  t.is(codec.room, 0);
  fillRequest(s.req, 'POST', '/x', 'up.test', { 'x-a': '1' });
  const body = Buffer.from('hi');
  s.up?.sendHead(s, s.req, body, 0, 2, true);
  t.is(wire.text, 'POST /x HTTP/1.1\r\nhost: up.test\r\nx-a: 1\r\ncontent-length: 2\r\n\r\nhi');
  sink.onResponseEnd = () => t.is(owner.rooms, 1);
  wire.send('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nyes');
  t.is(sink.responses[0]?.line, '200');
  t.is(sink.responses[0]?.body, 'yes');
  t.deepEqual(sink.responses[0]?.headers, { 'content-length': '3' });
  t.is(codec.room, 1);
  t.true(codec.isIdle());
});
