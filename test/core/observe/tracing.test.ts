import {
  type Attributes,
  context,
  type Span,
  SpanKind,
  type SpanStatus,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import test from 'ava';
import { Code } from '../../../src/core/base/codes.ts';
import { SeededRandom } from '../../../src/core/base/random.ts';
import { isTraceState } from '../../../src/core/observe/trace-context.ts';
import { createTracer } from '../../../src/core/observe/tracing.ts';
import { route, scanHead, streamOf } from '../filters/harness.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const caller = `00-${traceId}-b7ad6b7169203331-01`;
const create = () => createTracer({ random: new SeededRandom(1) });
const started = (headers: string) => {
  const s = streamOf(`GET /a HTTP/1.1\r\nhost: x\r\n${headers}`);
  create().start(s);
  return s;
};

test('a sound traceparent is continued with a span of our own', (t) => {
  const s = started(`Traceparent: ${caller}\r\ntracestate: a=1,b@c=2\r\n`);
  t.is(s.traceId, traceId);
  t.regex(s.spanId, /^[0-9a-f]{16}$/);
  t.not(s.spanId, 'b7ad6b7169203331');
  t.deepEqual(s.req.getAll('traceparent'), [`00-${traceId}-${s.spanId}-01`]);
  t.is(s.req.get('tracestate'), 'a=1,b@c=2');
});

test('without one a trace begins, sampled by the ratio', (t) => {
  const s = started('tracestate: a=1\r\n');
  t.regex(s.traceId, /^[0-9a-f]{32}$/);
  t.is(s.req.get('traceparent'), `00-${s.traceId}-${s.spanId}-01`);
  t.false(s.req.has('tracestate'));
  const unsampled = streamOf();
  createTracer({ random: new SeededRandom(1) }, { sampleRatio: 0 }).start(unsampled);
  t.true(unsampled.req.get('traceparent')?.endsWith('-00'));
});

const malformed: Record<string, string> = {
  'upper-case digits': caller.toUpperCase(),
  'version ff': `ff${caller.slice(2)}`,
  'a trace id of zeros': `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
  'a span id of zeros': `00-${traceId}-${'0'.repeat(16)}-01`,
  'version 00 with more behind': `${caller}-x`,
  'a later version with more behind but no dash': `01${caller.slice(2)}x`,
  'too short': caller.slice(0, -1),
  'flags that are no hex': `${caller.slice(0, -1)}g`,
  'dashes elsewhere': caller.replace('-b', '_b'),
};
for (const [what, value] of Object.entries(malformed)) {
  test(`${what}: a new trace begins and tracestate goes`, (t) => {
    const s = started(`traceparent: ${value}\r\ntracestate: a=1\r\n`);
    t.not(s.traceId, traceId);
    t.is(s.req.getAll('traceparent').length, 1);
    t.false(s.req.has('tracestate'));
  });
}

test('two traceparents are none', (t) => {
  const s = started(`traceparent: ${caller}\r\ntraceparent: ${caller}\r\n`);
  t.not(s.traceId, traceId);
  t.is(s.req.getAll('traceparent').length, 1);
});

test('a later version is read as far as this one goes, unknown flags are cleared', (t) => {
  const s = started(`traceparent: 01${caller.slice(2, -2)}ff-more\r\n`);
  t.is(s.req.get('traceparent'), `00-${traceId}-${s.spanId}-03`);
});

test('a call made while serving a request continues that request’s trace', (t) => {
  const inbound = started(`traceparent: ${caller}\r\n`);
  const call = streamOf();
  call.parent = inbound;
  createTracer({ random: new SeededRandom(2) }).start(call);
  t.is(call.traceId, traceId);
  t.not(call.spanId, inbound.spanId);
});

test('tracestate is checked member by member', (t) => {
  for (const good of ['a=1', 'a=1, b=2 ,,c=3', 'fw529a3039@dt=FfAAAB', `k=${'v'.repeat(256)}`])
    t.true(isTraceState(good), good);
  const many = Array.from({ length: 33 }, (_, i) => `k${i}=1`).join(',');
  for (const bad of ['', 'A=1', 'a', 'a=', 'a=1,a=2', 'a=1=2', `k=${'v'.repeat(257)}`, 'a=\x01', many])
    t.false(isTraceState(bad), bad);
  const s = started(`traceparent: ${caller}\r\ntracestate: A=1\r\n`);
  t.is(s.traceId, traceId);
  t.false(s.req.has('tracestate'));
});

/** A provider as an SDK would register one: the least that records. */
class Recorder {
  readonly spans: {
    name: string;
    kind?: SpanKind | undefined;
    attributes: Attributes;
    status?: SpanStatus;
    parent?: string | undefined;
    ended: boolean;
  }[] = [];

  getTracer() {
    return {
      startSpan: (
        name: string,
        options: { kind?: SpanKind; attributes?: Attributes } = {},
        parent = context.active(),
      ) => {
        const from = trace.getSpanContext(parent);
        const record: Recorder['spans'][number] = {
          name,
          kind: options.kind,
          attributes: { ...options.attributes },
          parent: from?.spanId,
          ended: false,
        };
        this.spans.push(record);
        const position = {
          traceId: from?.traceId ?? 'f'.repeat(32),
          spanId: '00000000000000aa',
          traceFlags: 1,
        };
        return {
          spanContext: () => position,
          setAttribute: (key: string, value: string | number) => {
            record.attributes[key] = value;
          },
          setStatus: (status: SpanStatus) => {
            record.status = status;
          },
          updateName: (text: string) => {
            record.name = text;
          },
          end: () => {
            record.ended = true;
          },
        } as unknown as Span;
      },
      startActiveSpan: () => undefined as never,
    };
  }
}

test.serial('with a provider each stream has a span with the HTTP conventions', (t) => {
  const recorder = new Recorder();
  const tracer = create();
  trace.setGlobalTracerProvider(recorder as never);
  t.teardown(() => trace.disable());
  const s = streamOf(
    `GET /users/7?token=secret HTTP/1.1\r\nhost: users.example:8080\r\ntraceparent: ${caller}\r\n`,
  );
  tracer.start(s);
  t.is(s.traceId, traceId);
  t.is(s.spanId, '00000000000000aa');
  t.deepEqual(s.req.getAll('traceparent'), [`00-${traceId}-00000000000000aa-01`]);
  scanHead(s.res, 'HTTP/1.1 503 No\r\n');
  s.route = route();
  s.code = Code.noHost;
  tracer.end(s);
  t.is(s.span, null);
  const [span] = recorder.spans;
  t.is(span?.name, 'GET users');
  t.is(span?.kind, SpanKind.SERVER);
  t.is(span?.parent, 'b7ad6b7169203331');
  t.like(span?.attributes, {
    'http.request.method': 'GET',
    'url.path': '/users/7',
    'server.address': 'users.example',
    'server.port': 8080,
    'http.response.status_code': 503,
    'error.type': 'no_host',
  });
  t.is(span?.status?.code, SpanStatusCode.ERROR);
  t.true(span?.ended);
  t.false(JSON.stringify(span?.attributes).includes('secret'));
});

test.serial('a provider that throws costs the span, not the request', (t) => {
  const tracer = create();
  trace.setGlobalTracerProvider({
    getTracer: () => {
      throw new Error('broken SDK');
    },
  });
  t.teardown(() => trace.disable());
  const s = streamOf();
  t.notThrows(() => tracer.start(s));
  t.regex(s.traceId, /^[0-9a-f]{32}$/);
});

test('ids differ from stream to stream', (t) => {
  const tracer = create();
  const ids = new Set<string>();
  for (let i = 0; i < 1000; i++) {
    const s = streamOf();
    tracer.start(s);
    ids.add(s.traceId).add(s.spanId);
  }
  t.is(ids.size, 2000);
});
