import type { Socket } from 'node:net';
import test from 'ava';
import { deadAddress, echo, eventually, tcpUpstream, upstream, within } from '../mesh/support.ts';
import { gateway, proxy, proxyProcess, Raw } from './support.ts';

const answer = (body: string): string => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

test('an upstream that closes an idle connection costs no request', async (t) => {
  let closes = 0;
  const { address: host, sockets } = await tcpUpstream(t, (socket) => {
    socket.on('data', () => socket.write(answer('ok')));
    socket.on('close', () => closes++);
  });
  const { address } = await proxy(t, gateway(host));
  for (let i = 1; i <= 20; i++) {
    t.is(await (await fetch(`http://${address}/`)).text(), 'ok');
    for (const socket of sockets) {
      if (i % 2 === 0) socket.end();
      else socket.resetAndDestroy();
    }
    // Some of them right now, while the proxy may already have chosen the connection.
    if (i % 4 === 0) await eventually(() => closes >= i, 'the close');
  }
});

test('an upstream that closes in the moment of reuse: what is safe to repeat is repeated, once', async (t) => {
  const requests: string[] = [];
  const { address: host } = await tcpUpstream(t, (socket) => {
    let served = 0;
    socket.on('data', (chunk: Buffer) => {
      const line = chunk.toString('latin1').split('\r\n', 1)[0] ?? '';
      requests.push(line);
      // Every connection serves one request and dies on the second.
      if (served++ === 0) socket.write(answer('ok'));
      else socket.resetAndDestroy();
    });
  });
  const { address } = await proxy(t, gateway(host));
  const ask = (method: string) => fetch(`http://${address}/${method}`, { method });
  t.is((await ask('GET')).status, 200);
  t.is((await ask('GET')).status, 200, 'repeated on a fresh connection');
  t.is(requests.length, 3);
  const post = await ask('POST');
  t.is(post.status, 502, 'a POST may have had its effect');
  t.is(post.headers.get('x-heddle-error'), 'upstream_reset');
  t.is(requests.length, 4);
});

test('an upstream that speaks before it is asked loses its connection, and nobody gets that answer', async (t) => {
  const { address: host, sockets } = await tcpUpstream(t, (socket) => {
    socket.on('data', () => socket.write(answer('mine')));
    socket.on('end', () => socket.end());
  });
  const { address } = await proxy(t, gateway(host));
  t.is(await (await fetch(`http://${address}/`)).text(), 'mine');
  const [idle] = [...sockets] as [Socket];
  idle.write(answer('evil'));
  await eventually(() => !sockets.has(idle), 'the connection is dropped');
  t.is(await (await fetch(`http://${address}/`)).text(), 'mine');
});

test('a host that disappears mid-request is replaced where that is safe, else the answer says why', async (t) => {
  const rude = await tcpUpstream(t, (socket) => void socket.once('data', () => socket.resetAndDestroy()));
  const half = await tcpUpstream(t, (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf');
      setImmediate(() => socket.resetAndDestroy());
    });
  });
  const good = await upstream(t, (_request, response) => void response.end('good'));
  const retry = { retry: { on: ['reset', 'connectFailure'], numRetries: 2 } };
  const off = { outlierDetection: { consecutiveErrors: 0 } };
  const config = gateway([rude.address, good.address, await deadAddress()], {}, retry);
  const clusters = config.clusters?.map((each) => ({ ...each, ...off })) ?? [];
  const { address } = await proxy(t, { ...config, clusters });
  for (let i = 0; i < 12; i++) {
    const response = await fetch(`http://${address}/`);
    t.is(`${response.status} ${await response.text()}`, '200 good');
  }
  const alone = await proxy(t, gateway(rude.address));
  const reset = await fetch(`http://${alone.address}/`, { method: 'POST', body: 'x' });
  t.is(reset.status, 502);
  t.is(reset.headers.get('x-heddle-error'), 'upstream_reset');
  const dead = await proxy(t, gateway(await deadAddress()));
  const refused = await fetch(`http://${dead.address}/`);
  t.is(refused.status, 503);
  t.is(refused.headers.get('x-heddle-error'), 'connect_failure');
  // Nothing can be said after the head: the client must see that the body is not whole.
  const broken = await proxy(t, gateway(half.address));
  using raw = new Raw(broken.address);
  raw.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  t.true((await raw.whole()).endsWith('half'));
  const silent = await tcpUpstream(t, (socket) => void socket.resume());
  const late = await proxy(t, gateway(silent.address, {}, { timeoutMs: 50 }));
  const timedOut = await fetch(`http://${late.address}/`);
  t.is(timedOut.status, 504);
  t.is(timedOut.headers.get('x-heddle-error'), 'route_timeout');
});

test('a whole cluster that dies under load is answered with errors, and served again when it is back', async (t) => {
  const first = await upstream(t, echo);
  const config = gateway(first.address);
  const clusters =
    config.clusters?.map((each) => ({ ...each, outlierDetection: { consecutiveErrors: 0 } })) ?? [];
  const { address } = await proxy(t, { ...config, clusters });
  const ask = async (): Promise<number> => {
    const response = await fetch(`http://${address}/`);
    await response.arrayBuffer();
    return response.status;
  };
  t.is(await ask(), 200);
  first.server.close();
  for (const socket of first.sockets) socket.destroy();
  const during = await within(Promise.all(Array.from({ length: 50 }, ask)), 'answers while the host is gone');
  t.true(
    during.every((status) => status === 502 || status === 503),
    String(during),
  );
  await new Promise<void>((resolve) => first.server.listen(first.port, '127.0.0.1', resolve));
  t.is(await ask(), 200);
});

test('running out of file descriptors pauses accepting and ends nothing that is open', async (t) => {
  if (process.platform !== 'linux') {
    t.pass('counting descriptors is for Linux');
    return;
  }
  const { address: host } = await upstream(t, (_request, response) => void response.end('ok'));
  const child = await proxyProcess(
    t,
    { ...gateway(host), admin: { address: '127.0.0.1:0' } },
    [],
    'ulimit -n 128',
  );
  using kept = new Raw(child.address);
  kept.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  await kept.until(/ok$/);
  const many = Array.from({ length: 200 }, () => new Raw(child.address));
  await eventually(() => /accepting paused/.test(child.log()), 'the pause is logged');
  kept.text = '';
  kept.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  await kept.until(/ok$/);
  for (const raw of many) raw.socket.destroy();
  const works = async (): Promise<boolean> => {
    try {
      return (await fetch(`http://${child.address}/`)).status === 200;
    } catch {
      return false;
    }
  };
  let isServed = false;
  const again = async (): Promise<void> => {
    while (!isServed) {
      isServed = await works();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await within(again(), 'accepting goes on');
  t.is(child.child.exitCode, null);
});
