import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { type Echoed, echo, tcpUpstream, upstream, within } from '../mesh/support.ts';
import { gateway, proxy, Raw } from './support.ts';

const bodyOf = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4);

test('pipelined requests of one packet are answered in order', async (t) => {
  const { address: host } = await upstream(t, (request, response) => {
    // The first takes longest: order must come from the proxy.
    const turns = request.url === '/0' ? 20 : 0;
    let left = turns;
    const answer = (): void => void (left-- > 0 ? setImmediate(answer) : response.end(`<${request.url}>`));
    answer();
  });
  const { address } = await proxy(t, gateway(host));
  using raw = new Raw(address);
  const count = 20;
  let text = '';
  for (let i = 0; i < count; i++) text += `GET /${i} HTTP/1.1\r\nhost: a\r\n\r\n`;
  raw.send(text);
  await raw.until(new RegExp(`</${count - 1}>`));
  t.deepEqual(
    raw.text.match(/<\/\d+>/g),
    Array.from({ length: count }, (_, i) => `</${i}>`),
  );
});

test('Expect: 100-continue is answered by the upstream, not by the proxy', async (t) => {
  const server = createServer();
  server.on('checkContinue', (request, response) => {
    if (request.url === '/refuse') {
      response.writeHead(417, { connection: 'close' }).end('no');
      return;
    }
    response.writeContinue();
    echo(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  const { address } = await proxy(t, gateway(`127.0.0.1:${(server.address() as AddressInfo).port}`));
  using raw = new Raw(address);
  raw.send('POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n');
  t.regex(await raw.until(/100 Continue\r\n\r\n/), /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
  raw.send('hello');
  t.regex(await raw.until(/"body":"hello"/), /HTTP\/1\.1 200 OK/);
  using refused = new Raw(address);
  refused.send('POST /refuse HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n');
  const answer = await refused.whole();
  t.regex(answer, /^HTTP\/1\.1 417 /);
  t.regex(answer, /connection: close/i);
});

test('interim answers reach the client one by one before the final one', async (t) => {
  const { address: host } = await tcpUpstream(t, (socket) => {
    socket.on('data', () => {
      socket.write('HTTP/1.1 102 Processing\r\n\r\n');
      socket.write('HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n');
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone');
    });
  });
  const { address } = await proxy(t, gateway(host));
  using raw = new Raw(address);
  raw.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  const text = await raw.until(/done$/);
  t.regex(text, /^HTTP\/1\.1 102 [\s\S]*HTTP\/1\.1 103 [\s\S]*link: <\/a\.css>[\s\S]*HTTP\/1\.1 200 OK/);
  using old = new Raw(address);
  old.send('GET / HTTP/1.0\r\nhost: a\r\n\r\n');
  t.regex(await old.whole(), /^HTTP\/1\.1 200 OK/, 'HTTP/1.0 clients know no interim answers');
});

test('CONNECT opens a tunnel where the route allows it, and is refused elsewhere', async (t) => {
  const { address: target } = await tcpUpstream(t, (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(socket);
    });
  });
  const open = await proxy(t, gateway(target, {}, { upgrades: ['connect'] }));
  using raw = new Raw(open.address);
  raw.send('CONNECT db.example:5432 HTTP/1.1\r\nhost: db.example:5432\r\n\r\nearly');
  await raw.until(/\r\n\r\n[\s\S]*early/);
  t.regex(raw.text, /^HTTP\/1\.1 200 /);
  raw.send('\x00\x01 later');
  t.true((await raw.until(/later/)).endsWith('\x00\x01 later'));
  raw.socket.end();
  await raw.whole();
  const closed = await proxy(t, gateway(target));
  using refused = new Raw(closed.address);
  refused.send('CONNECT db.example:5432 HTTP/1.1\r\nhost: db.example:5432\r\n\r\n');
  t.regex(await refused.until(/\r\n\r\n/), /^HTTP\/1\.1 403 /);
});

test('bytes pass an upgrade only after the upstream has said 101', async (t) => {
  const seen: string[] = [];
  const { address: host } = await tcpUpstream(t, (socket) => {
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      seen.push(String(chunk));
      if (seen.length === 1) {
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nupgrade: chat\r\nconnection: upgrade\r\n\r\nwelcome',
        );
      } else socket.end(`you said ${seen.slice(1).join('')}`);
    });
  });
  const { address } = await proxy(t, gateway(host, {}, { upgrades: ['chat'] }));
  using raw = new Raw(address);
  raw.send('GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: chat\r\n\r\n');
  await raw.until(/welcome/);
  raw.send('GET /smuggled HTTP/1.1\r\n\r\n');
  const text = await raw.whole();
  t.regex(text, /^HTTP\/1\.1 101 /);
  t.true(text.endsWith('you said GET /smuggled HTTP/1.1\r\n\r\n'));
  t.regex(seen[0] ?? '', /upgrade: chat/i);
});

test('HTTP/1.0: closed after the answer unless keep-alive is asked for, never chunked', async (t) => {
  const { address: host } = await upstream(t, (_request, response) => {
    response.write('one ');
    response.end('two');
  });
  const { address } = await proxy(t, gateway(host));
  using raw = new Raw(address);
  raw.send('GET / HTTP/1.0\r\n\r\n');
  const text = await raw.whole();
  t.is(bodyOf(text), 'one two');
  t.notRegex(text, /transfer-encoding/i);
  const { address: fixed } = await upstream(t, (_request, response) => {
    response.setHeader('content-length', 2);
    response.end('ok');
  });
  const other = await proxy(t, gateway(fixed));
  using kept = new Raw(other.address);
  kept.send('GET / HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\n\r\n');
  t.regex(await kept.until(/ok$/), /connection: keep-alive/i);
  kept.send('GET / HTTP/1.0\r\nhost: a\r\n\r\n');
  t.is((await kept.whole()).match(/HTTP\/1\.1 200/g)?.length, 2);
});

test('trailers pass both ways', async (t) => {
  const { address: host } = await upstream(t, (request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { trailer: 'x-down' });
      response.write(JSON.stringify(request.trailers));
      response.addTrailers({ 'x-down': '2' });
      response.end();
    });
  });
  const { address } = await proxy(t, gateway(host));
  using raw = new Raw(address);
  raw.send('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntrailer: x-up\r\n\r\n');
  raw.send('3\r\nabc\r\n0\r\nx-up: 1\r\n\r\n');
  const text = await raw.until(/\r\n0\r\n[\s\S]*\r\n\r\n$/);
  t.regex(text, /\{"x-up":"1"\}/);
  t.regex(text, /\r\n0\r\nx-down: 2\r\n\r\n$/i);
});

test('an answer that comes before the body has ended reaches the client at once', async (t) => {
  const { address: host } = await tcpUpstream(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 4\r\n\r\nmuch'));
    socket.on('data', () => {});
  });
  const { address } = await proxy(t, gateway(host));
  using raw = new Raw(address);
  raw.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n');
  raw.send('x'.repeat(1000));
  t.regex(await raw.until(/much$/), /^HTTP\/1\.1 413 /);
});

test('absolute form, asterisk form and odd paths arrive as what they mean', async (t) => {
  const { address: host } = await upstream(t, echo);
  const { address } = await proxy(t, gateway(host));
  using raw = new Raw(address);
  const ask = async (line: string, headers = 'host: a'): Promise<Echoed> => {
    raw.text = '';
    raw.send(`${line} HTTP/1.1\r\n${headers}\r\n\r\n`);
    return JSON.parse(bodyOf(await raw.until(/\}$/))) as Echoed;
  };
  t.like(await ask('GET http://b.example/p?q', 'host: b.example'), { url: '/p?q' });
  t.like(await ask('OPTIONS *'), { method: 'OPTIONS', url: '*' });
  t.like(await ask('GET /a/./b/../c'), { url: '/a/c' });
  t.like(await ask('GET /?a=/../b'), { url: '/?a=/../b' });
});

/** What a stranger may send; each costs one connection. */
const hostile: readonly [string, string, RegExp][] = [
  [
    'Content-Length with Transfer-Encoding',
    'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    /^HTTP\/1\.1 400 /,
  ],
  [
    'two Content-Lengths',
    'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcd',
    /^HTTP\/1\.1 400 /,
  ],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 /],
  ['two Hosts', 'GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n', /^HTTP\/1\.1 400 /],
  ['a bare LF', 'GET / HTTP/1.1\nhost: a\n\n', /^HTTP\/1\.1 400 /],
  ['a folded header', 'GET / HTTP/1.1\r\nhost: a\r\nx: a\r\n b\r\n\r\n', /^HTTP\/1\.1 400 /],
  [
    'TLS on a plain port',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    /^HTTP\/1\.1 400 /,
  ],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /^HTTP\/1\.1 (400|505) /],
  ['a header of 1 MiB', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(1 << 20)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
  ['a path of 1 MiB', `GET /${'a'.repeat(1 << 20)} HTTP/1.1\r\nhost: a\r\n\r\n`, /^HTTP\/1\.1 (414|431) /],
  ['10,000 headers', `GET / HTTP/1.1\r\nhost: a\r\n${'x: y\r\n'.repeat(10_000)}\r\n`, /^HTTP\/1\.1 431 /],
  [
    'a bad chunk size',
    'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    /^HTTP\/1\.1 (400|502) /,
  ],
];

test('hostile bytes cost their connection only: the next one is served', async (t) => {
  const { address: host } = await upstream(t, echo);
  const { address, standalone } = await proxy(t, gateway(host));
  for (const [name, bytes, answer] of hostile) {
    using raw = new Raw(address);
    raw.send(bytes);
    raw.socket.end();
    t.regex(await raw.whole(), answer, name);
    t.is((await fetch(`http://${address}/`)).status, 200, `after ${name}`);
  }
  t.is(standalone.mesh.clusters.get('up')?.breakers.requests, 0);
});

test('a client that leaves in the middle ends its request upstream', async (t) => {
  const arrived = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const { address: host } = await upstream(t, (_request, response) => {
    response.once('close', () => gone.resolve());
    arrived.resolve();
  });
  const { address, standalone } = await proxy(t, gateway(host));
  const raw = new Raw(address);
  raw.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  await within(arrived.promise, 'the request at the upstream');
  raw.socket.resetAndDestroy();
  await t.notThrowsAsync(within(gone.promise, 'the upstream sees the end'));
  t.is(standalone.mesh.runtime.proxy.active, 0);
});
