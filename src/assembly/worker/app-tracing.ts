import type { Span } from '@opentelemetry/api';
import type { Random } from '../../core/base/random.ts';
import type { Stream } from '../../core/contract/stream.ts';
import { hasTracerProvider } from '../../core/observe/open-telemetry.ts';
import { endSpan } from '../../core/observe/spans.ts';
import { createTracer } from '../../core/observe/tracing.ts';
import type { AppCore } from '../../transport/worker/app-core.ts';
import type { AppCoreContext, OpenSpan } from '../../transport/worker/app-streams.ts';
import type { Outcome } from '../../transport/worker/frame-writer.ts';
import type { ChangedFields, SpanRequest } from '../../transport/worker/messages.ts';

const unknownPeer = { port: 0, spiffeId: null, certificateSha256: null, serverName: null };

/**
 * Traces of calls, on the thread where the application's context and its OpenTelemetry SDK are. Without a provider, and
 * without an inbound stream to continue, the worker makes the ids.
 */
export function appTracing(
  random: Random,
  isEnabled: () => boolean,
): Pick<AppCoreContext, 'trace' | 'endSpan'> {
  const tracer = createTracer({ random });
  return {
    trace(s: Stream): boolean {
      if ((s.parent === null && !hasTracerProvider()) || !isEnabled()) return false;
      tracer.start(s);
      return true;
    },
    endSpan({ span, method, protocol }: OpenSpan, outcome: Outcome): void {
      const { code, tries, status, route, cluster, host } = outcome;
      endSpan(span as Span, {
        code,
        tries,
        protocol,
        req: { method },
        res: { status },
        route: route === '' ? null : { name: route },
        cluster: cluster === '' ? null : { name: cluster },
        host: host === '' ? null : { address: host },
      });
    },
  };
}

/**
 * Begins the span of a stream of a listener in the worker; it ends with the stream's outcome. Null: there is none.
 *
 * @returns what changes in the head of the request, so that it carries the span's position on
 */
export function beginListenerSpan(
  core: AppCore,
  random: Random,
  id: number,
  request: SpanRequest,
): ChangedFields | null {
  const s = core.acquire();
  const { req } = s;
  s.protocol = request.protocol;
  if (request.peer !== null) s.peer = { ...unknownPeer, address: request.peer };
  req.minor = request.minor;
  req.methodText = request.method;
  req.path = request.path;
  req.authority = request.authority;
  for (const [name, value] of Object.entries(request.headers)) req.add(name, value);
  createTracer({ random }).start(s);
  const after = req.toObject();
  const isBegun = s.span !== null;
  if (isBegun) core.spans.add(id, s);
  s.span = null;
  core.release(s);
  return isBegun ? changes(request.headers, after) : null;
}

function changes(before: SpanRequest['headers'], after: SpanRequest['headers']): ChangedFields {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names]
    .filter((name) => before[name] !== after[name])
    .map((name) => [name, after[name] ?? null] as const);
}
