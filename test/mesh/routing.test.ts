import type { IncomingMessage, RequestListener } from 'node:http';
import test from 'ava';
import { createMesh, type MeshConfig } from '../../src/index.ts';
import { type Echoed, echo, eventually, type Teardown, upstream, within } from './support.ts';

type Routes = NonNullable<
  NonNullable<NonNullable<MeshConfig['listeners']>[number]['virtualHosts']>[number]['routes']
>;

/** A mesh with one listener for these routes, and `call` to ask it something. */
async function gateway(t: Teardown, clusters: Readonly<Record<string, string[]>>, routes: Routes) {
  const mesh = await createMesh({
    listeners: [
      { name: 'in', address: '127.0.0.1:0', virtualHosts: [{ name: 'all', domains: ['*'], routes }] },
    ],
    clusters: Object.entries(clusters).map(([name, endpoints]) => ({
      name,
      endpoints,
      loadBalancer: 'ringHash',
    })),
  });
  t.teardown(() => mesh.close());
  const address = mesh.listeners.addresses['in'] as string;
  const call = (path: string, init: RequestInit = {}) =>
    within(fetch(`http://${address}${path}`, { redirect: 'manual', ...init }), path);
  return { mesh, address, call };
}

/** An upstream that says its name. */
const named = (t: Teardown, name: string) => upstream(t, (_request, response) => void response.end(name));

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

test('a template and its rewrite, a case rule and the port of the listener', async (t) => {
  const { address: app } = await upstream(t, echo);
  const { call, address } = await gateway(t, { app: [app] }, [
    { match: { template: '/users/{id}/**' }, cluster: 'app', rewrite: { template: '/v2/{id}' } },
    {
      match: { path: '/PING', caseSensitive: false },
      directResponse: { status: 200, body: 'pong' },
    },
    {
      match: {
        prefix: '/port',
        expression: 'listener.port > 0 && source.address == "127.0.0.1" && request.query["a"] == "1"',
      },
      directResponse: { status: 200, body: 'here' },
    },
  ]);
  const got = (await (await call('/users/42/x?full=1')).json()) as Echoed;
  t.is(got.url, '/v2/42?full=1');
  t.is(await (await call('/Ping')).text(), 'pong');
  t.is(await (await call('/port?a=1')).text(), 'here');
  t.is((await call('/port')).status, 404);
  const port = await gateway(t, { app: [app] }, [
    {
      match: { variables: [{ name: 'listenerPort', exact: address.split(':')[1] as string, invert: true }] },
      directResponse: { status: 200, body: 'another port' },
    },
  ]);
  t.is(await (await port.call('/')).text(), 'another port');
});

test('an expression that fails is no match and shows in the metrics', async (t) => {
  const { mesh, call } = await gateway(t, {}, [
    {
      match: { expression: 'request.headers["x-none"] == "1"' },
      directResponse: { status: 200 },
    },
  ]);
  t.is((await call('/')).status, 404);
  t.is((await call('/', { headers: { 'x-none': '1' } })).status, 200);
  const { metrics } = mesh.runtime;
  const slot = metrics.counter('heddle_route_expression_errors_total', { listener: 'in' });
  t.is(metrics.values[slot], 1);
});

test('a mirror gets the whole request; nothing it does is seen by the caller', async (t) => {
  const { address: app } = await named(t, 'app');
  const copies: { host: string | undefined; mark: unknown; url: string | undefined; body: string }[] = [];
  const { address: shadow } = await upstream(t, (request, response) => {
    void bodyOf(request).then((body) => {
      const { headers, url } = request;
      copies.push({ host: headers.host, mark: headers['x-heddle-mirror'], url, body });
      // One is never answered, the next with an error.
      if (copies.length > 1) response.writeHead(500).end('ignored');
    });
  });
  const { call, mesh } = await gateway(t, { app: [app], shadow: [shadow] }, [
    { cluster: 'app', mirrors: [{ cluster: 'shadow', maxBodyBytes: 300_000 }] },
  ]);
  const large = 'x'.repeat(200_000);
  const headers = { host: 'app.test' };
  const first = await call('/a?b', { method: 'POST', body: large, headers });
  t.is(await first.text(), 'app');
  t.is(await (await call('/c', { headers })).text(), 'app');
  const tooLarge = await call('/d', { method: 'POST', body: large + large, headers });
  t.is(await tooLarge.text(), 'app');
  await eventually(() => copies.length === 2, 'two copies');
  t.deepEqual(
    copies.map(({ url, body, mark }) => [url, body.length, mark]),
    [
      ['/a?b', 200_000, '1'],
      ['/c', 0, '1'],
    ],
  );
  t.true(copies.every(({ host }) => host?.includes('-shadow')));
  const { metrics } = mesh.runtime;
  const labels = { cluster: 'shadow', reason: 'body' };
  t.is(metrics.values[metrics.counter('heddle_mirror_dropped_total', labels)], 1);
});

test('a slow host is overtaken by a hedge', async (t) => {
  let isFirst = true;
  let isGone = false;
  const answer: RequestListener = (request, response) => {
    if (!isFirst) {
      response.end('quick');
      return;
    }
    isFirst = false;
    request.socket.once('close', () => {
      isGone = true;
    });
  };
  const one = await upstream(t, answer);
  const two = await upstream(t, answer);
  const { call, mesh } = await gateway(t, { app: [one.address, two.address] }, [
    { cluster: 'app', hedge: { delayMs: 20 } },
  ]);
  t.is(await (await call('/')).text(), 'quick');
  await eventually(() => isGone, 'the slow try is reset');
  await eventually(() => mesh.runtime.proxy.active === 0, 'all streams end');
  const { metrics } = mesh.runtime;
  t.is(metrics.values[metrics.counter('heddle_cluster_hedge_wins_total', { cluster: 'app' })], 1);
});

test('a redirect of the upstream is followed to another cluster, body and all', async (t) => {
  const { address: old } = await upstream(t, (request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(307, { location: '/new/place?x=1' }).end('moved'));
  });
  const { address: next } = await upstream(t, echo);
  const { call } = await gateway(t, { old: [old], next: [next] }, [
    { match: { prefix: '/new' }, cluster: 'next' },
    { cluster: 'old', internalRedirect: { codes: [302, 307] } },
  ]);
  const response = await call('/old', { method: 'POST', body: 'hello' });
  t.is(response.status, 200);
  const got = (await response.json()) as Echoed;
  t.like(got, { method: 'POST', url: '/new/place?x=1', body: 'hello' });
  t.regex(got.headers['x-heddle-original-url'] as string, /^http:\/\/127\.0\.0\.1:\d+\/old$/);
});

test('each try may be called by the name of its host', async (t) => {
  const hosts: string[] = [];
  const answer: RequestListener = (request, response) => {
    hosts.push(request.headers.host ?? '');
    response.writeHead(hosts.length === 1 ? 503 : 200).end('x');
  };
  const one = await upstream(t, answer);
  const two = await upstream(t, answer);
  const mesh = await createMesh({
    clusters: [
      {
        name: 'app',
        endpoints: [{ address: one.address, hostname: 'one.test' }, two.address],
      },
    ],
    inProcess: {
      virtualHosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [{ cluster: 'app', rewrite: { hostFromEndpoint: true }, retry: { on: ['gatewayError'] } }],
        },
      ],
    },
  });
  t.teardown(() => mesh.close());
  const response = await within(mesh.request({ authority: 'anything' }), 'the answer');
  t.is(response.status, 200);
  t.deepEqual(hosts.toSorted(), [two.address, 'one.test'].toSorted());
});

test('a generated cookie keeps a client on its host', async (t) => {
  const hosts = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => named(t, name)));
  const { call } = await gateway(t, { app: hosts.map(({ address }) => address) }, [
    { cluster: 'app', hashPolicies: [{ cookie: 'affinity', ttlMs: 60_000 }] },
  ]);
  const seen = new Set<string>();
  for (let client = 0; client < 20; client++) {
    const first = await call('/');
    const host = await first.text();
    const cookie = /^affinity=[0-9a-f]{32}; Max-Age=60; Path=\/; HttpOnly$/.exec(
      first.headers.get('set-cookie') ?? '',
    );
    t.truthy(cookie, String(first.headers.get('set-cookie')));
    const headers = { cookie: (cookie?.[0] ?? '').split(';')[0] as string };
    const again = await call('/', { headers });
    t.is(await again.text(), host);
    t.is(again.headers.get('set-cookie'), null);
    seen.add(host);
  }
  t.true(seen.size > 2, [...seen].join());
});

test('a configuration whose expression cannot be used does not start', async (t) => {
  const config: MeshConfig = {
    listeners: [
      {
        name: 'in',
        address: '127.0.0.1:0',
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [{ match: { expression: 'request.nothing' }, directResponse: { status: 200 } }],
          },
        ],
      },
    ],
  };
  const thrown = await t.throwsAsync(createMesh(config), { code: 'ERR_CONFIG_INVALID' });
  t.regex(thrown?.message ?? '', /routes\[0\]\.match\.expression: .*No such key: nothing/);
});
