import type { Span } from '@opentelemetry/api';
import { latin1 } from '../base/latin1.ts';
import type { Random } from '../base/random.ts';
import type { StreamTracer } from '../contract/pipeline.ts';
import type { Stream } from '../contract/stream.ts';
import { hasTracerProvider } from './open-telemetry.ts';
import { SofaTrace } from './sofa-trace.ts';
import { endSpan, startSpan } from './spans.ts';
import { isTraceState, TraceContext, traceparentLength } from './trace-context.ts';

export interface TracerOptions {
  /**
   * Share of the traces that begin here and are marked as sampled, 0 to 1 (1, what OpenTelemetry SDKs do by default).
   * With an OpenTelemetry provider its sampler decides instead.
   */
  readonly sampleRatio?: number;
}

/**
 * Continues the trace of `traceparent`, or of the stream that caused this one, or begins one, and passes its own
 * position on; SOFATracer's keys go from an inbound stream to the calls that it causes. A malformed `traceparent`, or two of them, begin a new trace and drop `tracestate`.
 * Spans are made only while the application has registered an OpenTelemetry provider; without one a request costs the
 * ids alone (about 0.2 us).
 */
export function createTracer(
  context: { readonly random: Random },
  options: TracerOptions = {},
): StreamTracer {
  return new TraceContextTracer(context.random, options.sampleRatio ?? 1);
}

/**
 * In `stream.span`: the position in the trace was made on another thread, stands in the head already, and that thread
 * wants to hear how the stream ended.
 */
export class ForeignPosition {
  readonly onEnd: (s: Stream) => void;

  constructor(onEnd: (s: Stream) => void) {
    this.onEnd = onEnd;
  }
}

class TraceContextTracer implements StreamTracer {
  readonly #random: Random;
  readonly #sampleRatio: number;
  readonly #position: TraceContext;
  readonly #sofa = new SofaTrace();

  constructor(random: Random, sampleRatio: number) {
    this.#random = random;
    this.#sampleRatio = sampleRatio;
    this.#position = new TraceContext(random);
  }

  start(s: Stream): void {
    if (s.span instanceof ForeignPosition) {
      s.traceField = s.req.find('traceparent');
      return;
    }
    if (s.parent !== null) this.#sofa.carry(s.parent, s.req);
    const isContinued = this.#continue(s);
    if (hasTracerProvider() && this.#startSpan(s, isContinued)) return;
    const position = this.#position;
    if (!isContinued) {
      position.begin(this.#sampleRatio >= 1 || this.#random.next() < this.#sampleRatio);
    }
    position.nextSpan();
    position.write(s.req);
    s.traceField = s.req.count + s.req.extraCount - 1;
  }

  end(s: Stream): void {
    if (s.span === null) return;
    if (s.span instanceof ForeignPosition) s.span.onEnd(s);
    else endSpan(s.span as Span, s);
    s.span = null;
  }

  /** Takes `traceparent` off the head; true when the position now holds the caller's. */
  #continue(s: Stream): boolean {
    const head = s.req;
    const index = head.find('traceparent');
    if (index < 0) {
      const parent = s.parent?.req;
      const inherited = parent?.find('traceparent') ?? -1;
      if (parent === undefined || inherited < 0) {
        head.remove('tracestate');
        return false;
      }
      return this.#position.read(parent, inherited);
    }
    const isSound = this.#position.read(head, index);
    head.removeAt(index);
    const isOnly = !head.remove('traceparent');
    if (isSound && isOnly) {
      if (head.has('tracestate') && !isTraceState(head.getAll('tracestate').join(',')))
        head.remove('tracestate');
      return true;
    }
    head.remove('tracestate');
    return false;
  }

  /** False when the provider gives no usable span. */
  #startSpan(s: Stream, isContinued: boolean): boolean {
    const span = startSpan(s, isContinued ? latin1(this.#position.bytes, 0, traceparentLength) : null);
    if (span === null) return false;
    s.span = span;
    s.traceField = s.req.find('traceparent');
    return true;
  }
}
