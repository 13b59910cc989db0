import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import * as v from 'valibot';
import { type StreamFilterDefinition, Verdict } from '../../../src/core/contract/stream-filter.ts';
import { createMesh, type Mesh } from '../../../src/mesh.ts';
import { MemoryOutputs } from './harness.ts';

const config = v.strictObject({ header: v.string(), status: v.optional(v.number(), 401) });

/** The example of docs/write-a-filter.md. */
const requireHeader: StreamFilterDefinition<v.InferOutput<typeof config>> = {
  name: 'require-header',
  stage: 'afterRoute',
  config,
  isSecurity: true,
  create(own, { metrics, owner }) {
    const name = own.header.toLowerCase();
    const refused = metrics.counter('my_require_header_refused_total', { listener: owner });
    return {
      onRequestHead(s) {
        if (s.req.has(name)) return Verdict.continue;
        metrics.values[refused] = (metrics.values[refused] as number) + 1;
        return s.reply(own.status, 'missing header\n', { 'content-type': 'text/plain' });
      },
    };
  },
};

const filters = [
  {
    name: 'fault',
    config: { delay: { byHeader: true }, abort: { byHeader: true }, rateLimit: { byHeader: true } },
  },
  { name: 'request-id', config: { addToResponse: true } },
  { name: 'forwarded-headers', config: {} },
  { name: 'require-header', config: { header: 'X-User' } },
  { name: 'ip-access', config: { allow: ['127.0.0.0/8'] } },
  { name: 'payload-limit', config: { maxBytes: 10 } },
  { name: 'cors', config: { allowOrigins: ['https://app.example'], allowMethods: ['PUT'] } },
  { name: 'header-to-metadata', config: { request: [{ header: 'x-user', onPresent: { key: 'user' } }] } },
  {
    name: 'local-rate-limit',
    config: { descriptors: [{ key: [{ header: 'x-user' }], maxTokens: 2, fillIntervalMs: 60_000 }] },
  },
  {
    name: 'header-mutation',
    config: { requestHeaders: [{ name: 'x-copy', value: '%DYNAMIC_METADATA(user)%' }] },
  },
  {
    name: 'access-log',
    config: { path: '/filter.log', format: '%REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS%' },
  },
];
const counters = [
  'my_require_header_refused_total',
  'heddle_filter_fault_delayed_total',
  'heddle_filter_fault_aborted_total',
  'heddle_filter_fault_slowed_total',
  'heddle_filter_request_id_made_total',
  'heddle_filter_forwarded_headers_stripped_total',
  'heddle_filter_ip_access_allowed_total',
  'heddle_filter_payload_limit_refused_total',
  'heddle_filter_cors_origin_valid_total',
  'heddle_filter_header_to_metadata_noted_total',
  'heddle_filter_local_rate_limit_limited_total',
  'heddle_filter_header_mutation_applied_total',
  'heddle_filter_access_log_written_total',
];

const countOf = (mesh: Mesh, name: string): number =>
  mesh.runtime.metrics.totals().series.find((each) => each.name === name)?.values[0] ?? Number.NaN;

test('the ten filters and one of a user do their work in a real listener', async (t) => {
  const upstream = createServer((request, response) => {
    request.resume().on('end', () => response.end(JSON.stringify(request.headers)));
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  t.teardown(() => void upstream.close());
  const logs = new MemoryOutputs();
  const mesh = await createMesh(
    {
      listeners: [
        {
          name: 'in',
          address: '127.0.0.1:0',
          filters,
          accessLog: [
            {
              path: '/json.log',
              json: { id: '%REQUEST_ID%', trace: '%TRACE_ID%', status: '%RESPONSE_CODE%' },
            },
          ],
          virtualHosts: [
            { name: 'all', domains: ['*'], routes: [{ name: 'r', match: { prefix: '/' }, cluster: 'c' }] },
          ],
        },
      ],
      clusters: [{ name: 'c', endpoints: [`127.0.0.1:${(upstream.address() as AddressInfo).port}`] }],
    },
    { use: [requireHeader], surroundings: { logs } },
  );
  t.teardown(() => mesh.close());
  const base = `http://${mesh.listeners.all[0]?.address}`;
  const call = (
    path: string,
    headers: Record<string, string> = {},
    init: RequestInit = {},
  ): Promise<Response> =>
    fetch(base + path, { ...init, headers: { 'x-user': path, connection: 'close', ...headers } });

  const seen = (await (await call('/plain', { 'x-forwarded-for': '1.1.1.1' })).json()) as Record<
    string,
    string
  >;
  t.is(seen['x-copy'], '/plain');
  t.is(seen['x-forwarded-for'], '127.0.0.1');
  t.is((await fetch(`${base}/nobody`)).status, 401);
  t.is((await call('/abort', { 'x-heddle-fault-abort-request': '418' })).status, 418);
  t.is((await call('/late', { 'x-heddle-fault-delay-request': '20' })).status, 200);
  const slow = await call('/slow', { 'x-heddle-fault-throughput-response': '8' });
  t.is(((await slow.json()) as Record<string, string>)['x-copy'], '/slow');
  t.is((await call('/large', {}, { method: 'POST', body: 'x'.repeat(11) })).status, 413);
  const preflight = { origin: 'https://app.example', 'access-control-request-method': 'PUT' };
  const allowed = await call('/cors', preflight, { method: 'OPTIONS' });
  t.is(allowed.headers.get('access-control-allow-origin'), 'https://app.example');
  t.deepEqual(
    [(await call('/often')).status, (await call('/often')).status, (await call('/often')).status],
    [200, 200, 429],
  );
  for (const name of counters) t.true(countOf(mesh, name) > 0, name);
  const lines = logs.open('/filter.log').lines();
  t.is(lines.length, 10);
  t.true(
    lines.includes('/often 429 RL') && lines.includes('/abort 418 FI') && lines.includes('/late 200 DI'),
  );
  const json = logs
    .open('/json.log')
    .lines()
    .map((line) => JSON.parse(line));
  t.is(new Set(json.map((line) => line.id)).size, 10);
  t.true(json.every((line) => /^[0-9a-f]{32}$/.test(line.trace)));
  t.is(json[0].trace, (seen['traceparent'] as string).slice(3, 35));
});
