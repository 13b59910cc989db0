/** Cost of the ten stream filters at work, together and each alone. `npx node bench/micro/filters.bench.ts` */
import type { Stream } from '../../src/core/contract/stream.ts';
import type { StreamFilter, StreamFilterDefinition } from '../../src/core/contract/stream-filter.ts';
import { accessLog } from '../../src/core/filters/access-log.ts';
import { cors } from '../../src/core/filters/cors.ts';
import { fault } from '../../src/core/filters/fault.ts';
import { forwardedHeaders } from '../../src/core/filters/forwarded-headers.ts';
import { headerMutation } from '../../src/core/filters/header-mutation.ts';
import { headerToMetadata } from '../../src/core/filters/header-to-metadata.ts';
import { ipAccess } from '../../src/core/filters/ip-access.ts';
import { localRateLimit } from '../../src/core/filters/local-rate-limit.ts';
import { payloadLimit } from '../../src/core/filters/payload-limit.ts';
import { requestId } from '../../src/core/filters/request-id.ts';
import { createTracer } from '../../src/core/observe/tracing.ts';
import {
  counted,
  createFilter,
  createRig,
  MemoryOutput,
  peer,
  route,
  scanHead,
  streamOf,
} from '../../test/core/filters/harness.ts';
import { report } from './measure.ts';

const head = [
  'GET /users/7 HTTP/1.1',
  'host: users.example',
  'user-agent: bench/1.0',
  'accept: application/json',
  'x-version: 2',
  'x-forwarded-for: 198.51.100.1',
  '',
].join('\r\n');

const chain: readonly (readonly [StreamFilterDefinition<never>, unknown, string])[] = [
  [fault, { abort: { status: 503, percent: 0.0001 }, headers: [] }, 'fault_checked'],
  [requestId, {}, 'request_id_made'],
  [forwardedHeaders, {}, 'forwarded_headers_written'],
  [ipAccess, { deny: ['203.0.113.0/24', '2001:db8::/32'] }, 'ip_access_allowed'],
  [payloadLimit, { maxBytes: 1_048_576 }, 'payload_limit_checked'],
  [cors, { allowOrigins: ['https://app.example'] }, ''],
  [
    headerToMetadata,
    { request: [{ header: 'x-version', onPresent: { key: 'version' } }] },
    'header_to_metadata_noted',
  ],
  [localRateLimit, { bucket: { maxTokens: 1e9, tokensPerFill: 1e9 } }, 'local_rate_limit_passed'],
  [
    headerMutation,
    {
      requestHeaders: [{ name: 'x-mesh', value: 'heddle' }],
      responseHeaders: [{ name: 'x-served-by', value: 'heddle' }],
      removeResponseHeaders: ['x-powered-by'],
    },
    'header_mutation_applied',
  ],
  [accessLog, {}, 'access_log_written'],
] as never;

const output = new MemoryOutput();
output.write = () => true;

const s = streamOf(head);
scanHead(s.res, 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1024\r\n');
s.peer = peer('192.0.2.7');
s.route = route();
s.host = { label: Buffer.from('10.0.0.1:8080') } as never;
s.endMs = 1003;
const fields = s.req.fields.slice();
const responseFields = s.res.fields.slice();

/** Undoes what filters did to the heads, as a new request would find them. */
function renew(): void {
  for (let i = 0; i < fields.length; i++) s.req.fields[i] = fields[i] as number;
  for (let i = 0; i < responseFields.length; i++) s.res.fields[i] = responseFields[i] as number;
  s.req.extraLength = s.req.extraCount = s.res.extraLength = s.res.extraCount = 0;
  s.req.nameBits = s.req.indexedCount = s.res.nameBits = s.res.indexedCount = 0;
  s.metadata.clear();
  s.flags = '';
}

function run(hooks: Hooks, stream: Stream): void {
  renew();
  for (let i = 0; i < hooks.request.length; i++) hooks.request[i]?.onRequestHead?.(stream);
  for (let i = 0; i < hooks.response.length; i++) hooks.response[i]?.onResponseHead?.(stream);
  for (let i = 0; i < hooks.end.length; i++) hooks.end[i]?.onStreamEnd?.(stream);
}

interface Hooks {
  readonly request: readonly StreamFilter[];
  readonly response: readonly StreamFilter[];
  readonly end: readonly StreamFilter[];
}
const sorted = (filters: readonly StreamFilter[]): Hooks => ({
  request: filters.filter((each) => each.onRequestHead !== undefined),
  response: filters.filter((each) => each.onResponseHead !== undefined).reverse(),
  end: filters.filter((each) => each.onStreamEnd !== undefined),
});

const rig = createRig();
rig.logs.byPath.set('stdout', output);
const filters = chain.map(([definition, config], slot) =>
  createFilter(definition, config, { ...rig, slot } as typeof rig),
);
const all = sorted(filters);
const baseline = report('renewing the heads alone', renew);
const ten = report('ten filters', () => run(all, s));
process.stdout.write(
  `${'ten filters without renewing'.padEnd(44)} ${(ten - baseline).toFixed(0).padStart(6)} ns  limit 800\n`,
);
chain.forEach(([definition], i) => {
  const one = sorted([filters[i] as StreamFilter]);
  report(`  ${definition.name}`, () => run(one, s));
});
for (const [, , counter] of chain) {
  if (counter === '') continue;
  if (!(counted(rig, `heddle_filter_${counter}_total`) > 0))
    throw new Error(`${counter} did not count: the filter did nothing`);
}
const tracer = createTracer(rig);
report('trace context (begins a trace)', () => {
  renew();
  tracer.start(s);
});
