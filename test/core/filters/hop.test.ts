import test from 'ava';
import { Hop } from '../../../src/core/contract/stream.ts';
import { hop } from '../../../src/core/filters/hop.ts';
import { createMesh } from '../../../src/index.ts';
import { upstream } from '../../mesh/support.ts';
import { createFilter, createRig, onRequest, peer, streamOf } from './harness.ts';

const request = (value: string, address: string) => {
  const s = streamOf(`GET / HTTP/1.1\r\nhost: a\r\nx-heddle-hop: ${value}\r\n`);
  s.peer = peer(address);
  return s;
};

test('the header of a trusted peer counts, that of a stranger is taken off unread', (t) => {
  const filter = createFilter(hop, { trusted: ['10.0.0.0/8'], announces: false }, createRig());
  const trusted = request('retries, limits, other', '10.0.0.1');
  t.is(onRequest(filter, trusted), 0);
  t.is(trusted.hops, Hop.retries | Hop.limits);
  t.false(trusted.req.has('x-heddle-hop'));
  const stranger = request('retries', '192.0.2.1');
  onRequest(filter, stranger);
  t.is(stranger.hops, 0);
  t.false(stranger.req.has('x-heddle-hop'));
  const nobody = createFilter(hop, { announces: false }, createRig());
  const any = request('limits', '127.0.0.1');
  onRequest(nobody, any);
  t.is(any.hops, 0);
});

test('the second mesh neither retries nor limits again what the first does; a stranger does not get past it', async (t) => {
  let hits = 0;
  const seen: (string | undefined)[] = [];
  const { address } = await upstream(t, (incoming, response) => {
    hits++;
    seen.push(incoming.headers['x-heddle-hop'] as string | undefined);
    response.statusCode = 503;
    response.end();
  });
  const retry = { on: ['gatewayError'], numRetries: 2, backoffBaseMs: 1, backoffMaxMs: 1 } as const;
  const routes = [{ cluster: 'next', retry }];
  const virtualHosts = [{ name: 'all', domains: ['*'], routes }];
  const limit = { name: 'local-rate-limit', config: { bucket: { maxTokens: 1, fillIntervalMs: 3_600_000 } } };
  await using second = await createMesh({
    listeners: [
      {
        name: 'sidecar',
        address: '127.0.0.1:0',
        filters: [{ name: 'hop', config: { trusted: ['127.0.0.0/8'] } }, limit],
        virtualHosts,
      },
    ],
    clusters: [{ name: 'next', endpoints: [address] }],
  });
  const free = { name: 'local-rate-limit', config: { bucket: { maxTokens: 1000 } } };
  await using first = await createMesh({
    clusters: [{ name: 'next', endpoints: [second.listeners.addresses['sidecar'] ?? ''] }],
    inProcess: { filters: ['hop', free], virtualHosts },
  });
  t.is((await first.request({ authority: 'next' })).status, 503);
  t.is(hits, 3, 'the tries of the first alone');
  t.deepEqual(
    seen,
    Array.from({ length: 3 }, () => 'retries, limits'),
  );
  await using stranger = await createMesh({
    clusters: [{ name: 'next', endpoints: [second.listeners.addresses['sidecar'] ?? ''] }],
  });
  hits = 0;
  t.is((await stranger.request({ authority: 'next' })).status, 503);
  t.is(hits, 3, 'the tries of the second');
  t.is((await stranger.request({ authority: 'next' })).status, 429);
});
