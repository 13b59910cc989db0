import test from 'ava';
import { createMesh, HeddleError } from '../../src/index.ts';
import { deadAddress, tcpUpstream, upstream, within } from './support.ts';

test('HEAD, 204 and 304 have no body and leave the connection usable', async (t) => {
  const { address, sockets } = await upstream(t, (request, response) => {
    if (request.method === 'HEAD') response.setHeader('content-length', 1000);
    if (request.url !== '/') response.statusCode = Number(request.url?.slice(1));
    response.end();
  });
  await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
  for (const [method, path] of [
    ['HEAD', '/'],
    ['GET', '/204'],
    ['GET', '/304'],
  ] as const) {
    const response = await mesh.request({ authority: 'users', method, path });
    t.is((await response.bytes()).length, 0);
  }
  t.is(sockets.size, 1);
});

test('a body is read chunk by chunk and only once', async (t) => {
  const { address } = await upstream(t, (_request, response) => {
    response.write('one,');
    setImmediate(() => response.end('two'));
  });
  await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
  const response = await mesh.request({ authority: 'users' });
  let text = '';
  for await (const chunk of response.body) text += chunk.toString();
  t.is(text, 'one,two');
  const error = await t.throwsAsync(response.bytes(), { instanceOf: HeddleError });
  t.is((error as HeddleError).code, 'ERR_OPTION_INVALID');
});

test('a request body that fails ends the request and tells why', async (t) => {
  const arrived = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const { address } = await upstream(t, (request) => {
    request.on('error', () => {});
    request.once('close', () => gone.resolve());
    arrived.resolve();
  });
  async function* body(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(10);
    await arrived.promise;
    throw new Error('the disk is gone');
  }
  await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
  const error = await t.throwsAsync(mesh.request({ authority: 'users', method: 'POST', body: body() }), {
    instanceOf: HeddleError,
    message: /the disk is gone/,
  });
  t.is((error as HeddleError).code, 'ERR_REQUEST_INVALID');
  await within(gone.promise, 'the upstream sees the end');
});

test('a call that takes too long ends with ERR_REQUEST_TIMEOUT and the reason', async (t) => {
  const { address } = await upstream(t, () => {});
  await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
  const error = await t.throwsAsync(mesh.request({ authority: 'users', timeoutMs: 50 }), {
    instanceOf: HeddleError,
  });
  t.like(error, {
    code: 'ERR_REQUEST_TIMEOUT',
    retry: 'yes',
    context: { reason: 'route_timeout', cluster: 'users', host: address, status: 504 },
  });
});

test('errors say what failed, where and whether to try again', async (t) => {
  const dead = await deadAddress();
  const rude = await tcpUpstream(t, (socket) => void socket.once('data', () => socket.destroy()));
  const babble = await tcpUpstream(
    t,
    (socket) => void socket.once('data', () => socket.end('220 mail.example ESMTP ready\r\n')),
  );
  await using mesh = await createMesh({
    clusters: [
      { name: 'dead', endpoints: [dead] },
      { name: 'rude', endpoints: [rude.address] },
      { name: 'babble', endpoints: [babble.address] },
      { name: 'empty' },
    ],
  });
  const fail = async (authority: string) => t.throwsAsync(mesh.request({ authority, method: 'POST' }));
  t.like(await fail('dead'), {
    code: 'ERR_UPSTREAM_CONNECT',
    retry: 'yes',
    source: 'upstream',
    context: { reason: 'connect_failure', host: dead, tries: 1 },
  });
  t.like(await fail('rude'), { code: 'ERR_UPSTREAM_RESET', retry: 'ifReused' });
  t.like(await fail('babble'), { code: 'ERR_UPSTREAM_PROTOCOL', retry: 'no' });
  t.like(await fail('empty'), { code: 'ERR_CLUSTER_NO_HOST', context: { reason: 'no_host' } });
  t.like(await fail('nobody'), { code: 'ERR_CLUSTER_UNKNOWN', context: { reason: 'no_cluster' } });
});

test('a body that breaks off rejects with the bytes before it delivered', async (t) => {
  const { address } = await tcpUpstream(t, (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this');
      setImmediate(() => socket.end());
    });
  });
  await using mesh = await createMesh({ clusters: [{ name: 'users', endpoints: [address] }] });
  const response = await mesh.request({ authority: 'users' });
  let text = '';
  const error = await t.throwsAsync(async () => {
    for await (const chunk of response.body) text += chunk.toString();
  });
  t.is(text, 'only this');
  t.like(error, { code: 'ERR_UPSTREAM_RESET' });
});

test('a request that cannot be sent as given says what is wrong', async (t) => {
  await using mesh = await createMesh({ clusters: [{ name: 'users' }] });
  const bad: [Parameters<typeof mesh.request>[0], string][] = [
    [{ authority: 'users', method: 'A B' }, 'ERR_REQUEST_INVALID'],
    [{ authority: 'users', method: 'CONNECT' }, 'ERR_REQUEST_INVALID'],
    [{ authority: 'users', path: '/a b' }, 'ERR_REQUEST_INVALID'],
    [{ authority: 'users', path: '/a\r\nx: y' }, 'ERR_REQUEST_INVALID'],
    [{ authority: '' }, 'ERR_REQUEST_INVALID'],
    [{ authority: 'users', headers: { 'x y': '1' } }, 'ERR_HEADER_INVALID'],
    [{ authority: 'users', headers: { x: 'a\r\nb' } }, 'ERR_HEADER_INVALID'],
  ];
  for (const [options, code] of bad) t.like(await t.throwsAsync(mesh.request(options)), { code });
});

test('two meshes in one process know nothing of each other', async (t) => {
  const one = await upstream(t, (_request, response) => void response.end('one'));
  const two = await upstream(t, (_request, response) => void response.end('two'));
  await using first = await createMesh({ clusters: [{ name: 'users', endpoints: [one.address] }] });
  {
    await using second = await createMesh({ clusters: [{ name: 'users', endpoints: [two.address] }] });
    for (let i = 0; i < 10; i++) {
      t.is(await (await first.request({ authority: 'users' })).text(), 'one');
      t.is(await (await second.request({ authority: 'users' })).text(), 'two');
    }
    t.not(first.runtime.metrics, second.runtime.metrics);
    t.is(one.sockets.size, 1);
    t.is(two.sockets.size, 1);
  }
  t.is(await (await first.request({ authority: 'users' })).text(), 'one');
});
