/**
 * What a route can do beside sending a request to a cluster: names from the path, a copy for the next version, a second
 * try for a slow host, redirects followed on the way, and clients that stay with their host.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMesh } from '../src/index.ts';

/** Two hosts that tell which one answered; one of them hangs on /search. */
const servers = ['slow', 'quick'].map((name) =>
  createServer((request, response) => {
    if (name === 'slow' && request.url === '/search') return;
    response.end(name);
  }).listen(0, '127.0.0.1'),
);
const endpoints = await Promise.all(
  servers.map(async (server) => {
    await new Promise((resolve) => server.once('listening', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }),
);

const mesh = await createMesh({
  clusters: [
    { name: 'orders' },
    { name: 'next' },
    { name: 'search', endpoints },
    { name: 'sessions', endpoints, loadBalancer: 'ringHash' },
  ],
  listeners: [
    {
      name: 'in',
      address: '127.0.0.1:0',
      virtualHosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            {
              match: { template: '/users/{id}/{rest=**}' },
              cluster: 'orders',
              rewrite: { template: '/v2/{id}/{rest}' },
            },
            {
              match: { path: '/checkout', caseSensitive: false },
              cluster: 'orders',
              mirrors: [{ cluster: 'next' }],
            },
            { match: { path: '/search' }, cluster: 'search', hedge: { delayMs: 20 } },
            { match: { path: '/old' }, cluster: 'orders', internalRedirect: {} },
            {
              match: { path: '/session' },
              cluster: 'sessions',
              hashPolicies: [{ cookie: 'affinity', ttlMs: 0 }],
            },
            { cluster: 'orders', rewrite: { prefix: '/v2/' } },
          ],
        },
      ],
    },
  ],
});

mesh.handle('orders', (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === '/old') return new Response(null, { status: 302, headers: { location: '/new' } });
  const original = request.headers.get('x-heddle-original-url');
  const asked = original === null ? '' : `, asked for as ${new URL(original).pathname}`;
  return new Response(`orders saw ${pathname}${asked}`);
});
const copied = Promise.withResolvers<string>();
mesh.handle('next', async (request) => {
  const { length } = await request.text();
  copied.resolve(
    `the next version saw ${request.method} ${new URL(request.url).pathname} with ${length} bytes`,
  );
  return new Response('nobody reads this', { status: 500 });
});

const call = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://${mesh.listeners.addresses['in']}${path}`, init);

console.log('/users/42/orders/7', await (await call('/users/42/orders/7')).text());
await call('/Checkout', { method: 'POST', body: 'cart' });
console.log(await copied.promise);
// The balancer may begin with either; both times the quick host answers.
for (let i = 0; i < 2; i++) console.log('/search found by the', await (await call('/search')).text(), 'host');
console.log('/old', await (await call('/old')).text());
const first = await call('/session');
const cookie = first.headers.get('set-cookie')?.split(';')[0] ?? '';
const hosts = new Set([await first.text()]);
for (let i = 0; i < 2; i++) hosts.add(await (await call('/session', { headers: { cookie } })).text());
console.log('three requests with the cookie:', hosts.size === 1 ? 'one host' : 'several hosts');

await mesh.close();
for (const server of servers) server.closeAllConnections();
for (const server of servers) server.close();
