import test from 'ava';
import { createMesh, HeddleError, JavaException, type Mesh } from '../../../src/index.ts';
import { echo, upstream } from '../../mesh/support.ts';

const service = 'com.example.Greeter';

const methods = {
  sayHello: (name: string) => `hello ${name}`,
  sum: { returns: 'long', handler: (a: number, b: number) => a + b },
  same: (value: unknown) => value,
  when: () => new Date(0),
  bytes: () => Buffer.from('abc'),
  large: () => 9_007_199_254_740_993n,
  fail: () => {
    throw new JavaException('com.example.NoSuchUserException', 'no user 42');
  },
};

for (const protocol of ['bolt', 'dubbo'] as const) {
  /** HTTP in front of a service of that protocol, which stands at its own address. */
  const gateway = async (config: object = {}): Promise<{ provider: Mesh; mesh: Mesh; url: string }> => {
    const provider = await createMesh();
    const greeter = await provider.serveRpc({
      protocol,
      service,
      version: '1.0',
      methods,
      address: '127.0.0.1:0',
    });
    const mesh = await createMesh({
      listeners: [
        {
          name: 'in',
          address: '127.0.0.1:0',
          filters: ['request-id', { name: 'transcode', config: { to: protocol, version: '1.0', ...config } }],
          virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ match: {}, cluster: 'greeters' }] }],
        },
      ],
      clusters: [{ name: 'greeters', codec: protocol, endpoints: [greeter.address] }],
    });
    return { provider, mesh, url: `http://${mesh.listeners.addresses['in']}/${service}` };
  };

  test(`${protocol}: a JSON request calls a method and gets its value as JSON`, async (t) => {
    const { provider, mesh, url } = await gateway({ argTypes: { sum: ['long', 'long'] } });
    const call = async (method: string, body?: string) => {
      const response = await fetch(`${url}/${method}`, {
        method: 'POST',
        ...(body === undefined ? {} : { body }),
      });
      return {
        status: response.status,
        type: response.headers.get('content-type'),
        text: await response.text(),
      };
    };
    const json = (text: string) => ({ status: 200, type: 'application/json', text });
    t.deepEqual(await call('sayHello', '["ann"]'), json('"hello ann"'));
    t.deepEqual(await call('sayHello', '"bob"'), json('"hello bob"'));
    t.deepEqual(await call('sum', '[1, 2]'), json('3'));
    t.deepEqual(await call('sum', '{"args": [3, 4], "argTypes": ["long", "int"]}'), json('7'));
    t.deepEqual(await call('same', '[{"a": [1, null, "x"], "b": 1.5}]'), json('{"a":[1,null,"x"],"b":1.5}'));
    t.deepEqual(await call('same', '[null]'), json('null'));
    t.deepEqual(await call('when'), json('"1970-01-01T00:00:00.000Z"'));
    t.deepEqual(await call('bytes'), json('"YWJj"'));
    t.deepEqual(await call('large'), json('"9007199254740993"'));
    const big = JSON.stringify(['x'.repeat(300_000)]);
    t.is((await call('same', big)).text.length, 300_002);
    await mesh.close();
    await provider.close();
  });

  test(`${protocol}: what cannot be called is an error in JSON`, async (t) => {
    const { provider, mesh, url } = await gateway({ argTypes: { sum: ['long', 'long'] } });
    const call = async (path: string, init: RequestInit = {}) => {
      const response = await fetch(`${url}${path}`, { method: 'POST', ...init });
      return { status: response.status, error: ((await response.json()) as { error: object }).error };
    };
    t.deepEqual(await call('/fail'), {
      status: 500,
      error: { code: 'ERR_RPC_EXCEPTION', class: 'com.example.NoSuchUserException', message: 'no user 42' },
    });
    const missing = await call('/noSuchMethod');
    t.like(missing, {
      status: protocol === 'bolt' ? 500 : 404,
      error: { code: 'ERR_RPC_REFUSED', status: protocol === 'bolt' ? 'NO_PROCESSOR' : 'SERVICE_NOT_FOUND' },
    });
    t.is((await call('/sum', { body: '[1]' })).status, 400);
    t.is((await call('/sum', { body: '["a", "b"]' })).status, 400);
    t.is((await call('/sayHello', { body: '{' })).status, 400);
    t.is((await call('/sayHello', { method: 'PUT', body: '[]' })).status, 405);
    t.is((await call('/sayHello', { body: '{"args": ["x"], "argTypes": ["not a type"]}' })).status, 400);
    await mesh.close();
    await provider.close();
  });

  test(`${protocol}: a call goes to an HTTP service as JSON and its answer comes back as a value`, async (t) => {
    const http = await upstream(t, (request, response) => {
      if (request.url?.endsWith('/fail') === true) {
        response.writeHead(500, { 'content-type': 'application/json' });
        response.end('{"error": {"class": "com.example.Bad", "message": "so bad"}}');
      } else if (request.url?.endsWith('/busy') === true) response.writeHead(503).end('try later');
      else if (request.url?.endsWith('/nothing') === true) response.writeHead(204).end();
      else echo(request, response);
    });
    const listener = {
      name: 'in',
      address: '127.0.0.1:0',
      codec: protocol,
      filters: [{ name: 'transcode', config: { to: 'http', pathPrefix: '/rpc', headers: ['tenant'] } }],
      virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ match: {}, cluster: 'http' }] }],
    } as const;
    await using proxy = await createMesh({
      listeners: [listener],
      clusters: [{ name: 'http', endpoints: [http.address] }],
    });
    await using mesh = await createMesh({
      clusters: [{ name: 'proxy', codec: protocol, endpoints: [proxy.listeners.addresses['in'] ?? ''] }],
    });
    const greeter = mesh.rpc({ protocol, service, version: '1.0', cluster: 'proxy' });
    const echoed = (await greeter.invoke('sayHello', ['ann', 1, { a: [true] }], {
      attachments: { tenant: 'acme' },
    })) as { method: string; url: string; body: string; headers: Record<string, string> };
    t.like(echoed, { method: 'POST', url: `/rpc/${service}/sayHello`, body: '["ann",1,{"a":[true]}]' });
    t.like(echoed.headers, { tenant: 'acme', 'content-type': 'application/json', 'x-rpc-version': '1.0' });
    t.is(await greeter.invoke('nothing'), null);
    const fail = await t.throwsAsync(greeter.invoke('fail'), { instanceOf: HeddleError });
    t.like(fail, {
      code: 'ERR_RPC_EXCEPTION',
      context: { remoteClass: 'com.example.Bad', remoteMessage: 'so bad' },
    });
    const busy = await t.throwsAsync(greeter.invoke('busy'), { instanceOf: HeddleError });
    t.like(busy, { code: 'ERR_RPC_REFUSED', context: { remoteMessage: 'HTTP status 503: try later' } });
    t.is(await greeter.invoke('one', [], { oneway: true }), null);
    t.is(await greeter.invoke('nothing'), null);
  });
}
