import test from 'ava';
import { Code } from '../../../../src/core/base/codes.ts';
import { HeadView } from '../../../../src/core/base/head-view.ts';
import type { Stream } from '../../../../src/core/contract/stream.ts';
import { createClient, fillRequest } from './harness.ts';

type Client = ReturnType<typeof createClient>;

/** Binds a fresh stream and sends a request without body. */
function ask({ sink, codec }: Client, method = 'GET', headers: Record<string, string> = {}): Stream {
  const s = sink.acquire();
  codec.bind(s);
  fillRequest(s.req, method, '/x', 'up.test', headers);
  s.up?.sendHead(s, s.req, null, 0, 0, true);
  return s;
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

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

test('the pool may bind the next stream from inside room()', (t) => {
  const client = createClient();
  let second: Stream | null = null;
  client.owner.onRoom = () => {
    if (second === null) second = ask(client);
  };
  ask(client);
  client.wire.send(ok);
  t.is(client.sink.responses.length, 1);
  t.is(client.wire.writes.length, 2);
  client.wire.send(ok);
  t.is(client.sink.responses.length, 2);
  t.is(client.codec.served, 2);
});

test('reused tells whether the connection served before', (t) => {
  const client = createClient();
  t.false(ask(client).reused);
  client.wire.send(ok);
  t.true(ask(client).reused);
});

test('methods that expect a body say that theirs is empty', (t) => {
  const client = createClient();
  ask(client, 'POST');
  t.regex(client.wire.text, /\r\ncontent-length: 0\r\n\r\n$/);
});

test('a body of unknown length is chunked, with trailers', (t) => {
  const { sink, wire, codec } = createClient();
  const s = sink.acquire();
  codec.bind(s);
  fillRequest(s.req, 'PUT', '/x', 'up.test');
  s.up?.sendHead(s, s.req, null, 0, 0, false);
  s.up?.sendData(s, Buffer.from('abc'), 0, 3, false);
  s.up?.sendData(s, Buffer.alloc(0), 0, 0, true);
  t.true(wire.text.endsWith('transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'));
});

test('an idle connection on which the upstream speaks or closes is dropped, nothing is mis-assigned', (t) => {
  for (const event of ['speaks', 'closes'] as const) {
    const client = createClient();
    ask(client);
    client.wire.send(ok);
    if (event === 'speaks') client.wire.send('HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n');
    else client.wire.finish();
    t.is(client.sink.responses.length, 1, event);
    t.is(client.codec.room, 0, event);
    t.is(client.owner.gones.length, 1, event);
    t.true(client.wire.destroyedWith >= 0, event);
    client.wire.close(Code.upstreamClosed);
    t.is(client.owner.gones.length, 1, `${event}: told once`);
  }
});

test('bytes behind an answer make the connection useless for the next request', (t) => {
  const client = createClient();
  ask(client);
  client.wire.send(`${ok}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstale`);
  t.is(client.sink.responses.length, 1);
  t.is(client.sink.responses[0]?.body, 'ok');
  t.is(client.owner.rooms, 0);
  t.is(client.owner.gones.length, 1);
  t.true(client.wire.destroyedWith >= 0);
});

test('connection: close and HTTP/1.0 without keep-alive are not used again', (t) => {
  const answers = [
    'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok',
    'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok',
  ];
  for (const text of answers) {
    const client = createClient();
    ask(client);
    client.wire.send(text);
    t.is(client.sink.responses[0]?.body, 'ok');
    t.is(client.owner.rooms, 0);
    t.true(client.wire.destroyedWith >= 0);
  }
  const kept = createClient();
  ask(kept);
  kept.wire.send('HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok');
  t.is(kept.owner.rooms, 1);
});

test('an answer until close ends with FIN; a reset in the middle is a failure', (t) => {
  const whole = createClient();
  ask(whole);
  whole.wire.send('HTTP/1.1 200 OK\r\n\r\npart');
  t.false(whole.sink.responses[0]?.end);
  whole.wire.finish();
  t.true(whole.sink.responses[0]?.end);
  t.is(whole.sink.responses[0]?.body, 'part');

  const broken = createClient();
  ask(broken);
  broken.wire.send('HTTP/1.1 200 OK\r\n\r\npart');
  broken.wire.close(Code.upstreamReset);
  t.is(broken.sink.responses.at(-1)?.reset, Code.upstreamReset);
});

test('a connection that closes before or in the middle of an answer resets the stream', (t) => {
  for (const sent of ['', 'HTTP/1.1 20', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfour']) {
    const client = createClient();
    ask(client);
    client.wire.send(sent);
    client.wire.finish();
    t.is(client.sink.responses.at(-1)?.reset, Code.upstreamClosed, sent);
    t.is(client.owner.gones.length, 1);
  }
  const refused = createClient();
  ask(refused);
  refused.wire.close(Code.connectFailure);
  t.is(refused.sink.responses[0]?.reset, Code.connectFailure);
  t.deepEqual(refused.owner.gones, [Code.connectFailure]);
});

test('interim answers are passed on one by one, an endless row of them is refused', (t) => {
  const client = createClient();
  ask(client);
  client.wire.send(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n${ok}`);
  t.deepEqual(client.sink.informational, [100, 103]);
  t.deepEqual(client.sink.responses[0]?.headers, { 'content-length': '2' });
  const endless = createClient();
  ask(endless);
  endless.wire.send('HTTP/1.1 100 Continue\r\n\r\n'.repeat(200));
  t.is(endless.sink.responses[0]?.reset, Code.upstreamProtocol);
});

test('HEAD, 204 and 304 have no body, whatever they announce', (t) => {
  const client = createClient();
  for (const [method, status] of [
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ] as const) {
    ask(client, method);
    client.wire.send(`HTTP/1.1 ${status} X\r\nContent-Length: 5\r\n\r\n`);
    t.true(client.sink.responses.at(-1)?.end, `${method} ${status}`);
  }
  t.is(client.owner.rooms, 3);
});

test('an answer that comes before the request is sent whole is delivered, the connection not used again', (t) => {
  const { sink, wire, owner, codec } = createClient();
  const s = sink.acquire();
  codec.bind(s);
  fillRequest(s.req, 'PUT', '/x', 'up.test');
  s.req.contentLength = 100;
  const end = s.up as NonNullable<Stream['up']>;
  end.sendHead(s, s.req, Buffer.from('part'), 0, 4, false);
  wire.send('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno');
  t.is(sink.responses[0]?.body, 'no');
  t.is(owner.rooms, 0);
  t.true(wire.destroyedWith >= 0);
  t.true(end.sendData(s, Buffer.from('more'), 0, 4, false), 'later bytes are ignored');
});

test('a request body that ends short of its length resets the stream', (t) => {
  const { sink, wire, codec } = createClient();
  const s = sink.acquire();
  codec.bind(s);
  fillRequest(s.req, 'PUT', '/x', 'up.test');
  s.req.contentLength = 10;
  s.up?.sendHead(s, s.req, Buffer.from('part'), 0, 4, false);
  s.up?.sendData(s, Buffer.alloc(0), 0, 0, true);
  t.is(sink.responses[0]?.reset, Code.locallyClosed);
  t.true(wire.destroyedWith >= 0);
});

test('a stream that is reset before its head was sent leaves a usable connection', (t) => {
  const { sink, wire, owner, codec } = createClient();
  const s = sink.acquire();
  codec.bind(s);
  s.up?.reset(s, Code.aborted);
  t.is(owner.rooms, 1);
  t.is(wire.destroyedWith, -1);
  const sent = sink.acquire();
  codec.bind(sent);
  sent.up?.sendHead(sent, fillRequest(sent.req, 'GET', '/', 'a'), null, 0, 0, true);
  sent.up?.reset(sent, Code.aborted);
  t.is(wire.destroyedWith, Code.aborted);
  t.is(sink.responses.length, 0);
});

test('101 opens a tunnel only when it was asked for', (t) => {
  const client = createClient();
  const s = client.sink.acquire();
  client.codec.bind(s);
  fillRequest(s.req, 'GET', '/', 'a');
  s.req.upgrade = 'websocket';
  s.up?.sendHead(s, s.req, null, 0, 0, true);
  t.is(
    client.wire.takeText(),
    'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
  );
  client.wire.send('HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nraw');
  t.is(client.sink.responses[0]?.body, 'raw');
  t.true(s.isTunnel);
  s.up?.sendData(s, Buffer.from('\x00'), 0, 1, false);
  t.is(client.wire.takeText(), '\x00');
  s.up?.sendData(s, Buffer.alloc(0), 0, 0, true);
  t.true(client.wire.isEnded);
  client.wire.send('more');
  client.wire.finish();
  t.is(client.sink.responses[0]?.body, 'rawmore');
  t.true(client.sink.responses[0]?.end);

  const unasked = createClient();
  ask(unasked);
  unasked.wire.send('HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
  t.is(unasked.sink.responses[0]?.reset, Code.upstreamProtocol);
});

test('CONNECT: bytes wait for the 200, then pass; a refusal is an answer like any other', (t) => {
  const client = createClient();
  const s = client.sink.acquire();
  client.codec.bind(s);
  fillRequest(s.req, 'CONNECT', '', 'a:443');
  s.req.upgrade = 'connect';
  s.up?.sendHead(s, s.req, null, 0, 0, false);
  t.false(s.up?.sendData(s, Buffer.from('hello'), 0, 5, false));
  t.is(client.wire.takeText(), 'CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\n\r\n');
  client.wire.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nraw');
  t.is(client.sink.responses[0]?.body, 'raw');
  t.is(client.wire.takeText(), 'hello');
  t.is(client.sink.writables, 1);

  const refused = createClient();
  const other = refused.sink.acquire();
  refused.codec.bind(other);
  fillRequest(other.req, 'CONNECT', '', 'a:443');
  other.req.upgrade = 'connect';
  other.up?.sendHead(other, other.req, null, 0, 0, true);
  refused.wire.send('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno');
  t.is(refused.sink.responses[0]?.body, 'no');
  t.is(refused.owner.rooms, 1);
});

test('malformed and oversized answers reset the stream', (t) => {
  const answers = [
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\nContent-Length: 1\n\nx',
    'HTTP/1.1 2000 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n',
    `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`,
    `HTTP/1.1 200 OK\r\n${'X: a\r\n'.repeat(201)}\r\n`,
    'SSH-2.0-OpenSSH\r\n',
  ];
  for (const text of answers) {
    for (const size of [Number.POSITIVE_INFINITY, 1000]) {
      const client = createClient();
      ask(client);
      client.wire.send(text, size);
      t.is(client.sink.responses.at(-1)?.reset, Code.upstreamProtocol, text.slice(0, 60));
      t.true(client.wire.destroyedWith >= 0);
    }
  }
});

test('filters and configuration cannot break out of their place in the head', (t) => {
  const client = createClient();
  const s = client.sink.acquire();
  client.codec.bind(s);
  fillRequest(s.req, 'GET', '/a b\r\nX-Evil: 1', 'h\r\nX-Evil: 2', {
    'Content-Length': '5',
    'Transfer-Encoding': 'chunked',
    Connection: 'close',
  });
  s.up?.sendHead(s, s.req, null, 0, 0, true);
  t.is(client.wire.text, 'GET /a%20b%0d%0aX-Evil:%201 HTTP/1.1\r\nhost: h%0d%0aX-Evil:%202\r\n\r\n');
});

test('drain closes an idle connection, and a busy one after its answer', (t) => {
  const idle = createClient();
  idle.codec.drain();
  t.true(idle.wire.destroyedWith >= 0);
  t.is(idle.owner.gones.length, 1);

  const busy = createClient();
  ask(busy);
  busy.codec.drain();
  t.is(busy.wire.destroyedWith, -1);
  busy.wire.send(ok);
  t.is(busy.sink.responses[0]?.body, 'ok');
  t.is(busy.owner.rooms, 0);
  t.true(busy.wire.destroyedWith >= 0);
});

test('pausing a stream pauses the wire, and the next stream finds it reading', (t) => {
  const client = createClient();
  const s = ask(client);
  s.up?.pauseRead(s);
  t.true(client.wire.isPaused);
  client.wire.send(ok);
  t.false(client.wire.isPaused);
});

test('a connection that speaks before the request was sent is not trusted', (t) => {
  const { sink, wire, codec } = createClient();
  const s = sink.acquire();
  codec.bind(s);
  wire.send(ok);
  t.is(sink.responses[0]?.reset, Code.upstreamProtocol);
  t.true(wire.destroyedWith >= 0);
});

test('connection: close counts although the caller kept the head and the stream has another one', (t) => {
  const client = createClient();
  const s = ask(client);
  client.wire.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n');
  s.res = new HeadView();
  client.wire.send('ok');
  t.true(client.sink.responses[0]?.end);
  t.is(client.owner.rooms, 0);
});

test('a tunnel that was ended before it opened is ended when it opens', (t) => {
  const client = createClient();
  const s = client.sink.acquire();
  client.codec.bind(s);
  fillRequest(s.req, 'CONNECT', '', 'a:443');
  s.req.upgrade = 'connect';
  s.up?.sendHead(s, s.req, null, 0, 0, false);
  s.up?.sendData(s, Buffer.from('all'), 0, 3, true);
  client.wire.takeText();
  client.wire.send('HTTP/1.1 200 OK\r\n\r\n');
  t.is(client.wire.takeText(), 'all');
  t.true(client.wire.isEnded);
});
