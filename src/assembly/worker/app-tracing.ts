import type { Span } from '@opentelemetry/api';
import type { Random } from '../../core/base/random.ts';
import type { Stream } from '../../core/contract/stream.ts';
import { hasTracerProvider } from '../../core/observe/open-telemetry.ts';
import { endSpan } from '../../core/observe/spans.ts';
import { createTracer } from '../../core/observe/tracing.ts';
import type { AppCoreContext } from '../../transport/worker/app-streams.ts';
import type { Outcome } from '../../transport/worker/frame-writer.ts';

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
    endSpan(span: unknown, method: string, outcome: Outcome): void {
      const { code, tries, status, route, cluster, host } = outcome;
      endSpan(span as Span, {
        code,
        tries,
        protocol: 'call',
        req: { method },
        res: { status },
        route: route === '' ? null : { name: route },
        cluster: cluster === '' ? null : { name: cluster },
        host: host === '' ? null : { address: host },
      });
    },
  };
}
