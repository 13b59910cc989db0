import { type Attributes, type Span, SpanKind, trace } from '@opentelemetry/api';
import test from 'ava';
import { createMesh, type MeshApi } from '../../../src/index.ts';
import { type Echoed, echo, eventually, upstream } from '../support.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const caller = `00-${traceId}-b7ad6b7169203331-01`;

interface Made {
  readonly kind: SpanKind | undefined;
  readonly parent: string | undefined;
  readonly attributes: Attributes;
  ended: boolean;
}

/** Stands for an SDK of the program; keeps what it made. */
function provider() {
  const made: Made[] = [];
  const tracer = {
    startSpan(
      _name: string,
      options: { kind?: SpanKind; attributes?: Attributes },
      parent: Parameters<typeof trace.getSpanContext>[0],
    ): Span {
      const one: Made = {
        kind: options.kind,
        parent: trace.getSpanContext(parent)?.spanId,
        attributes: { ...options.attributes },
        ended: false,
      };
      made.push(one);
      return {
        spanContext: () => ({ traceId, spanId: `000000000000000${made.length}`, traceFlags: 1 }),
        setAttribute(key: string, value: string) {
          one.attributes[key] = value;
        },
        setStatus() {},
        updateName() {},
        end() {
          one.ended = true;
        },
      } as unknown as Span;
    },
  };
  return { made, register: () => trace.setGlobalTracerProvider({ getTracer: () => tracer } as never) };
}

async function listening(address: string): Promise<{ mesh: MeshApi; url: string }> {
  const routes = [
    { match: { path: '/none' }, cluster: 'none' },
    { match: {}, cluster: 'users' },
  ];
  const mesh = await createMesh({
    mode: 'worker',
    listeners: [
      { name: 'in', address: '127.0.0.1:0', virtualHosts: [{ name: 'all', domains: ['*'], routes }] },
    ],
    clusters: [{ name: 'users', endpoints: [address] }, { name: 'none' }],
  });
  return { mesh, url: `http://${mesh.listeners.addresses['in']}` };
}

test.serial(
  'streams of listeners have spans of the provider on this thread, under that of their caller',
  async (t) => {
    const { made, register } = provider();
    register();
    t.teardown(() => trace.disable());
    const { address } = await upstream(t, echo);
    const { mesh, url } = await listening(address);
    t.teardown(() => mesh.close());
    const headers = { traceparent: caller, 'x-kept': 'as it is' };
    const ask = async (): Promise<Echoed> => {
      const answer = await fetch(`${url}/a?b=c`, { headers, method: 'POST', body: 'text' });
      return (await answer.json()) as Echoed;
    };
    // A busy machine may need more than the 50 ms that a stream waits.
    const got = await eventually(async () => {
      made.length = 0;
      const echoed = await ask();
      return echoed.headers['traceparent'] === `00-${traceId}-0000000000000001-01` ? echoed : undefined;
    }, 'the position of the span goes upstream');
    t.is(got.headers['x-kept'], 'as it is');
    t.is(got.body, 'text', 'a body that came with the head is not lost');
    t.is((await fetch(`${url}/none`)).status, 503);
    await eventually(() => made.length === 2 && made.every(({ ended }) => ended), 'the spans end');
    const [fine, failed] = made;
    t.like(fine, { kind: SpanKind.SERVER, parent: 'b7ad6b7169203331' });
    t.like(fine?.attributes, {
      'http.request.method': 'POST',
      'url.path': '/a',
      'network.peer.address': '127.0.0.1',
      'http.response.status_code': 200,
      'heddle.upstream.address': address,
    });
    t.is(failed?.parent, undefined);
    t.like(failed?.attributes, { 'error.type': 'no_host', 'http.response.status_code': 503 });
  },
);

test.serial('a provider that comes later is noticed, and a broken one costs no stream', async (t) => {
  const { made, register } = provider();
  const { address } = await upstream(t, echo);
  const { mesh, url } = await listening(address);
  t.teardown(() => mesh.close());
  const ask = async (): Promise<string> => {
    const answer = await fetch(url, { headers: { traceparent: caller } });
    return ((await answer.json()) as Echoed).headers['traceparent'] ?? '';
  };
  t.regex(await ask(), new RegExp(`^00-${traceId}-`));
  t.is(made.length, 0);
  register();
  t.teardown(() => trace.disable());
  await eventually(async () => {
    await ask();
    return made.length > 0;
  }, 'the provider is noticed');
  const broken = {
    getTracer: () => {
      throw new Error('a broken SDK');
    },
  };
  trace.disable();
  trace.setGlobalTracerProvider(broken as never);
  t.regex(
    await ask(),
    new RegExp(`^00-${traceId}-(?!b7ad6b7169203331)`),
    'a provider without a span costs nothing',
  );
});
