import { once } from 'node:events';
import { request } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { createMesh, type RpcServiceCall } from '../../../src/index.ts';
import { readJsonCall } from '../../../src/transport/transcode/call.ts';
import { errorIn, jsonOf } from '../../../src/transport/transcode/json.ts';

const service = 'com.example.Greeter';

/** HTTP in front of a service of the same mesh. */
async function gateway(
  t: ExecutionContext,
  more: { config?: object; listener?: object; route?: object } = {},
) {
  const mesh = await createMesh({
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        filters: ['request-id', { name: 'transcode', config: { to: 'dubbo', ...more.config } }],
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [
              { match: { prefix: '/plain' }, cluster: 'web', filterConfigs: { transcode: false } },
              {
                match: { prefix: '/old' },
                cluster: service,
                filterConfigs: { transcode: { to: 'dubbo', version: '0.9' } },
              },
              { match: {}, cluster: service, ...more.route },
            ],
          },
        ],
        ...more.listener,
      },
    ],
    clusters: [{ name: 'web' }, { name: service }],
  });
  t.teardown(() => mesh.close());
  mesh.handle('web', async (got) => new Response(`plain ${await got.text()}`));
  const calls: RpcServiceCall[] = [];
  for (const version of ['', '0.9']) {
    await mesh.serveRpc({
      protocol: 'dubbo',
      service,
      version,
      handler: (args, call) => {
        calls.push(call);
        call.responseAttachments['Served-By'] = 'here';
        return args.length > 0 ? args[0] : `version ${version}`;
      },
    });
  }
  return { url: `http://${mesh.listeners.addresses['in']}`, calls, mesh };
}

test('a body in pieces is one call', async (t) => {
  const { url } = await gateway(t);
  const outgoing = request(`${url}/${service}/m`, { method: 'POST' });
  const text = JSON.stringify([{ long: 'x'.repeat(50_000), ünï: '😀' }]);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 7001) outgoing.write(bytes.subarray(at, at + 7001));
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [AsyncIterable<Buffer> & { statusCode: number }];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  t.is(response.statusCode, 200);
  t.is(`[${Buffer.concat(chunks).toString()}]`, text);
});

test('routes choose their own configuration, or none', async (t) => {
  const { url } = await gateway(t);
  const post = async (path: string, body = '') =>
    (await fetch(`${url}${path}`, { method: 'POST', body })).text();
  t.is(await post(`/plain/${service}/m`, 'as it is'), 'plain as it is');
  t.is(await post(`/old/${service}/m`), '"version 0.9"');
  t.is(await post(`/any/prefix/${service}/m?query=ignored`), '"version "');
});

test('headers that are named become attachments, and back; the trace and the request id always travel', async (t) => {
  const { url, calls } = await gateway(t, {
    config: { headers: ['X-Tenant'], responseHeaders: ['served-by'] },
  });
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const headers = { 'x-tenant': 'acme', authorization: 'secret', traceparent: trace, 'x-request-id': 'one' };
  const response = await fetch(`${url}/${service}/m`, { method: 'POST', body: '[1]', headers });
  t.is(response.headers.get('served-by'), 'here');
  const { attachments = {} } = calls[0] ?? {};
  t.is(attachments['x-tenant'], 'acme');
  t.is(attachments['authorization'], undefined);
  t.regex(attachments['traceparent'] ?? '', /^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
  t.truthy(attachments['x-request-id']);
});

test('configured names win over the path', async (t) => {
  const { url, calls } = await gateway(t, { config: { service, method: 'fixed' } });
  t.is((await fetch(url, { method: 'POST', body: '[1]' })).status, 200);
  t.is(calls[0]?.method, 'fixed');
});

test('what is too large, has no names or cannot be read is refused and counted', async (t) => {
  const { url, mesh } = await gateway(t, { listener: { maxBufferedBytes: 1000 } });
  const status = async (path: string, body: string | Uint8Array<ArrayBuffer>) =>
    (await fetch(`${url}${path}`, { method: 'POST', body })).status;
  t.is(await status(`/${service}/m`, 'x'.repeat(100_000)), 413);
  t.is(await status('/', '[]'), 404);
  t.is(await status(`/${service}/%ff`, '[]'), 404);
  t.is(await status(`/${service}/m`, '['), 400);
  t.is(await status(`/${service}/m`, '{"args": [1], "argTypes": []}'), 400);
  t.is(await status(`/${service}/m`, '{"args": [1], "argTypes": "int"}'), 400);
  t.is(await status(`/${service}/m`, '{"args": ["x"], "argTypes": ["int"]}'), 400);
  t.is(await status('/com.example.Unknown/m', '[]'), 404);
  const refused = mesh.runtime.metrics.counter('heddle_filter_transcode_refused_total', { listener: 'in' });
  t.is(mesh.runtime.metrics.values[refused], 7);
});

test('local answers stay as they are', async (t) => {
  const { url, mesh } = await gateway(t);
  mesh.clusters.get(service)?.drain();
  const response = await fetch(`${url}/${service}/m`, { method: 'POST', body: '[]' });
  t.true(response.status >= 500);
  t.is(response.headers.get('content-type'), 'text/plain');
});

test('a body says its arguments in one of four forms', (t) => {
  const read = (text: string) => readJsonCall(Buffer.from(text));
  t.deepEqual(read(''), { args: [], argTypes: null });
  t.deepEqual(read('[]'), { args: [], argTypes: null });
  t.deepEqual(read('[1, [2]]'), { args: [1, [2]], argTypes: null });
  t.deepEqual(read('null'), { args: [null], argTypes: null });
  t.deepEqual(read('"x"'), { args: ['x'], argTypes: null });
  t.deepEqual(read('{"a": 1}'), { args: [{ a: 1 }], argTypes: null });
  t.deepEqual(read('{"args": [1]}'), { args: [1], argTypes: null });
  t.deepEqual(read('{"args": [1], "argTypes": ["int"]}'), { args: [1], argTypes: ['int'] });
  t.deepEqual(read('{"args": [1], "other": 2}'), { args: [{ args: [1], other: 2 }], argTypes: null });
  t.deepEqual(read('{"args": 1}'), { args: [{ args: 1 }], argTypes: null });
  for (const text of ['{', 'x', '{"args": [], "argTypes": [1]}']) t.is(typeof read(text), 'string', text);
});

test('any bytes are a call or a reason, and any JSON value comes back as it was', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const call = readJsonCall(Buffer.from(bytes));
      t.true(typeof call === 'string' || Array.isArray(call.args));
    }),
  );
  fc.assert(fc.property(fc.jsonValue(), (value) => t.is(jsonOf(value), JSON.stringify(value))));
});

test('values that JSON does not have get a form, and errors are found in theirs', (t) => {
  const value = {
    at: new Date(0),
    bytes: Buffer.from('abc'),
    long: 2n ** 60n,
    map: new Map([['k', Buffer.from('x')]]),
  };
  t.is(
    jsonOf(value),
    '{"at":"1970-01-01T00:00:00.000Z","bytes":"YWJj","long":"1152921504606846976","map":{"k":"eA=="}}',
  );
  t.is(jsonOf(undefined), 'null');
  t.deepEqual(errorIn({ error: { class: 'com.example.Bad', message: 'so bad' } }), {
    className: 'com.example.Bad',
    message: 'so bad',
  });
  for (const other of [null, 1, {}, { error: 'x' }, { error: { message: 'x' } }, []])
    t.is(errorIn(other), null);
});
