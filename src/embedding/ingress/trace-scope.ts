import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span } from '@opentelemetry/api';
import type { Stream } from '../../core/contract/stream.ts';
import { openTelemetry } from '../../core/observe/open-telemetry.ts';
import type { CallOptions } from '../../core/stream/start-call.ts';

/** Headers that a call takes over from the request that it is made for. */
export type InboundTrace = Readonly<Record<string, string>>;

/**
 * Remembers, for what an application does because of a request, the position of that request in its trace, so that calls
 * go on with it (0.15 us a request, and only where tracing is on).
 */
export class TraceScope {
  readonly #storage = new AsyncLocalStorage<InboundTrace>();

  /** Of the request that the running code serves; null outside of one. */
  get current(): InboundTrace | null {
    return this.#storage.getStore() ?? null;
  }

  run(s: Stream, application: () => void): void {
    if (s.traceField < 0) {
      application();
      return;
    }
    const tracestate = s.req.get('tracestate');
    const position = {
      traceparent: s.req.valueAt(s.traceField),
      ...(tracestate === null ? {} : { tracestate }),
    };
    if (s.span === null) this.#storage.run(position, application);
    else {
      const { context, trace } = openTelemetry();
      const active = trace.setSpan(context.active(), s.span as Span);
      context.with(active, () => this.#storage.run(position, application));
    }
  }
}

/** A call made while a request is served goes on with its trace, unless it says otherwise. */
export function withTrace(options: CallOptions, inbound: InboundTrace | null): CallOptions {
  if (inbound === null || options.parent !== undefined || hasTrace(options.headers)) return options;
  return { ...options, headers: { ...options.headers, ...inbound } };
}

function hasTrace(headers: CallOptions['headers']): boolean {
  for (const name in headers) if (name.length === 11 && name.toLowerCase() === 'traceparent') return true;
  return false;
}
