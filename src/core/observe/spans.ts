import type { Context, Span } from '@opentelemetry/api';
import { factsOf } from '../base/codes.ts';
import type { HeadView } from '../base/head-view.ts';
import type { Stream } from '../contract/stream.ts';
import { openTelemetry } from './open-telemetry.ts';

/** OpenTelemetry's HTTP semantic conventions (stable) for one stream; used with a provider only. */
const methods = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'QUERY',
]);

const getter = {
  get: (head: HeadView, key: string): string | undefined => head.get(key.toLowerCase()) ?? undefined,
  keys: (head: HeadView): string[] => Object.keys(head.toObject()),
};
const setter = {
  set: (head: HeadView, key: string, value: string): void => head.set(key.toLowerCase(), value),
};

/**
 * Begins the stream's span and passes its position on through the application's propagator, as `traceparent` without
 * one. Null when the provider gives no valid span or throws.
 *
 * @param traceparent of the caller, checked; null when there is none
 */
export function startSpan(s: Stream, traceparent: string | null): Span | null {
  try {
    const { isSpanContextValid, propagation, SpanKind, trace } = openTelemetry();
    const isCall = s.protocol === 'call';
    const parent = parentContext(s, traceparent, isCall);
    const method = methods.has(s.req.method) ? s.req.method : '_OTHER';
    const span = trace
      .getTracer('heddle')
      .startSpan(
        method === '_OTHER' ? 'HTTP' : method,
        { kind: isCall ? SpanKind.CLIENT : SpanKind.SERVER, attributes: requestAttributes(s, method) },
        parent,
      );
    const position = span.spanContext();
    if (!isSpanContextValid(position)) return null;
    propagation.inject(trace.setSpan(parent, span), s.req, setter);
    if (!s.req.has('traceparent')) {
      const flags = (position.traceFlags & 3).toString(16).padStart(2, '0');
      s.req.add('traceparent', `00-${position.traceId}-${position.spanId}-${flags}`);
    }
    return span;
  } catch {
    // A broken SDK of the application must not cost it requests.
    return null;
  }
}

/** What a span says about the end of its stream. */
export interface SpanOutcome {
  readonly code: number;
  readonly tries: number;
  readonly protocol: string;
  readonly req: { readonly method: string };
  readonly res: { readonly status: number };
  readonly route: { readonly name: string } | null;
  readonly cluster: { readonly name: string } | null;
  readonly host: { readonly address: string } | null;
}

/** Sets status and attributes of the outcome and ends the span. */
export function endSpan(span: Span, s: SpanOutcome): void {
  try {
    const status = s.res.status;
    if (s.route !== null) span.updateName(`${s.req.method} ${s.route.name}`);
    if (status > 0) span.setAttribute('http.response.status_code', status);
    if (s.route !== null) span.setAttribute('heddle.route', s.route.name);
    if (s.cluster !== null) span.setAttribute('heddle.cluster', s.cluster.name);
    if (s.host !== null) span.setAttribute('heddle.upstream.address', s.host.address);
    if (s.tries > 1) span.setAttribute('http.request.resend_count', s.tries - 1);
    const isError = s.code !== 0 || status >= (s.protocol === 'call' ? 400 : 500);
    if (isError) {
      span.setAttribute('error.type', s.code === 0 ? String(status) : factsOf(s.code).name);
      span.setStatus({ code: openTelemetry().SpanStatusCode.ERROR });
    }
    span.end();
  } catch {
    // As above.
  }
}

function parentContext(s: Stream, traceparent: string | null, isCall: boolean): Context {
  const { context, createTraceState, propagation, ROOT_CONTEXT, trace } = openTelemetry();
  if (traceparent === null) {
    // Other formats (B3, Jaeger) through the application's propagator; a call belongs to the code that makes it.
    return propagation.extract(isCall ? context.active() : ROOT_CONTEXT, s.req, getter);
  }
  const state = s.req.getAll('tracestate').join(',');
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: traceparent.slice(3, 35),
    spanId: traceparent.slice(36, 52),
    traceFlags: Number.parseInt(traceparent.slice(53), 16),
    isRemote: true,
    ...(state === '' ? {} : { traceState: createTraceState(state) }),
  });
}

/** The query is left out: it often holds secrets. */
function requestAttributes(s: Stream, method: string): Record<string, string | number> {
  const attributes: Record<string, string | number> = {
    'http.request.method': method,
    'url.path': s.req.path.split('?', 1)[0] ?? '',
    'network.protocol.name': 'http',
  };
  if (method === '_OTHER') attributes['http.request.method_original'] = s.req.method;
  const authority = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(s.req.authority);
  if (authority?.[1]) attributes['server.address'] = authority[1];
  if (authority?.[2]) attributes['server.port'] = Number(authority[2]);
  if (s.protocol === 'http1') attributes['network.protocol.version'] = s.req.minor === 0 ? '1.0' : '1.1';
  if (s.protocol === 'http2') attributes['network.protocol.version'] = '2';
  if (s.peer !== null) attributes['network.peer.address'] = s.peer.address;
  const agent = s.req.get('user-agent');
  if (agent !== null) attributes['user_agent.original'] = agent;
  return attributes;
}
