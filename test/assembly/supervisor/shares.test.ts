import test from 'ava';
import { configOfWorker } from '../../../src/assembly/supervisor/shares.ts';
import { requireConfig } from '../../../src/core/config/check.ts';
import { mergeExtensions } from '../../../src/core/config/extensions.ts';
import { createMesh } from '../../../src/index.ts';
import { standard } from '../../../src/standard.ts';

const virtualHosts = [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, cluster: 'up' }] }];
const input = {
  listeners: [
    {
      name: 'in',
      address: '127.0.0.1:0',
      virtualHosts,
      limits: { maxConnections: 1000, maxConnectionsPerSource: 50 },
    },
  ],
  clusters: [
    {
      name: 'up',
      endpoints: ['127.0.0.1:1'],
      circuitBreakers: { maxRequests: 101, maxConnections: 0, maxRetries: 1 },
      pool: { maxConnectionsPerHost: 8 },
    },
  ],
  buffers: { limitBytes: 1_000_000 },
  admin: { address: '127.0.0.1:0', token: 'hidden' },
};

test('limits over all traffic are shared out, rounded up; unlimited stays, and what counts per client', async (t) => {
  const config = requireConfig(input, mergeExtensions(standard, undefined));
  const share = configOfWorker(config, 4, 'secret');
  t.like(share, {
    listeners: [{ limits: { maxConnections: 250, maxConnectionsPerSource: 50 } }],
    clusters: [
      {
        circuitBreakers: { maxRequests: 26, maxConnections: 0, maxRetries: 1, maxPending: 256 },
        pool: { maxConnectionsPerHost: 2 },
      },
    ],
    buffers: { limitBytes: 250_000 },
  });
  t.is(share.admin, undefined);
  t.deepEqual(structuredClone(share), share, 'plain data, as it goes to another process');
  await using mesh = await createMesh(share);
  t.is(mesh.config.clusters[0]?.circuitBreakers.maxRequests, 26);
  t.is(config.listeners[0]?.limits.maxConnections, 1000, 'the configuration itself is as it was');
});

test('listeners with TLS share the secret of their session tickets, one of their own stays', (t) => {
  const tls = { certificates: [{ cert: '/a.pem', key: '/a.key' }] };
  const own = { ...tls, sessionTickets: { secret: 'o'.repeat(32) } };
  const [listener] = input.listeners;
  const listeners = [
    { ...listener, name: 'a', tls },
    { ...listener, name: 'b', tls: own },
    { ...listener, name: 'c' },
  ];
  const config = requireConfig({ ...input, listeners }, mergeExtensions(standard, undefined));
  const [a, b, c] = configOfWorker(config, 2, 's'.repeat(64)).listeners ?? [];
  t.is(a?.tls?.sessionTickets?.secret, 's'.repeat(64));
  t.is(b?.tls?.sessionTickets?.secret, 'o'.repeat(32));
  t.is(c?.tls, undefined);
});
