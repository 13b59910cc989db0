import type { Clock, Timer } from '../../core/base/clock.ts';
import type { Pipeline, StreamTracer } from '../../core/contract/pipeline.ts';
import type { Stream } from '../../core/contract/stream.ts';
import { type FilterResult, type StreamFilter, Verdict } from '../../core/contract/stream-filter.ts';
import { ForeignPosition } from '../../core/observe/tracing.ts';
import type { ChangedFields, SpanRequest } from '../../transport/worker/messages.ts';

/** A program whose loop stands still does not hold its listeners: a stream goes on in the trace of its caller then. */
const waitMs = 50;

/** What the thread of the program is told. */
export interface SpanAsking {
  /** Has the program registered an OpenTelemetry provider? */
  hasProvider(): boolean;
  /** `answered` follows, with the same number. */
  ask(id: number, request: SpanRequest): void;
  /** The stream of this number is over. */
  ended(id: number, s: Stream): void;
}

interface Waiting {
  readonly s: Stream;
  readonly gen: number;
  readonly timer: Timer;
  readonly tracer: StreamTracer;
}

class AskedSpan extends ForeignPosition {
  id = 0;
}

/**
 * Spans for the streams of listeners in a worker: they are begun by the program's OpenTelemetry provider, on its thread,
 * while the stream waits before its first filter, and end with it. Without a provider streams do not wait.
 */
export class ListenerSpans {
  readonly #asking: SpanAsking;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  constructor(asking: SpanAsking, clock: Clock) {
    this.#asking = asking;
    this.#clock = clock;
  }

  /** The pipeline with spans around its streams; calls have theirs already. */
  around(pipeline: Pipeline): Pipeline {
    const { tracer, filters } = pipeline;
    if (tracer === null) return pipeline;
    const waits: StreamFilter = { onRequestHead: (s): FilterResult => this.#ask(s, tracer) };
    return {
      ...pipeline,
      tracer: { start: (s) => this.#start(s, tracer), end: (s) => tracer.end(s) },
      filters: { ...filters, beforeRoute: [waits, ...filters.beforeRoute] },
    };
  }

  /** @param fields of the request's head, as the provider's position wants them; null: it gave none */
  answered(id: number, fields: ChangedFields | null): void {
    const waiting = this.#take(id);
    if (waiting === null) return;
    const { s, gen, tracer } = waiting;
    if (fields === null) begin(s, tracer);
    else {
      for (const [name, value] of fields) {
        if (value === null) s.req.remove(name);
        else s.req.set(name, value);
      }
      s.traceField = s.req.find('traceparent');
    }
    s.core.resume(s, gen);
  }

  #start(s: Stream, tracer: StreamTracer): void {
    if (s.protocol === 'call' || !this.#asking.hasProvider()) {
      tracer.start(s);
      return;
    }
    const span = new AskedSpan((ended) => {
      if (span.id !== 0) this.#asking.ended(span.id, ended);
      this.#take(span.id);
    });
    s.span = span;
  }

  #ask(s: Stream, tracer: StreamTracer): FilterResult {
    const { span, gen, req } = s;
    if (!(span instanceof AskedSpan) || span.id !== 0) return Verdict.continue;
    // Negative: calls, handlers and tunnels have the other numbers.
    this.#lastId = (this.#lastId + 1) & 0x3fffffff;
    span.id = -1 - this.#lastId;
    const late = (): void => this.answered(span.id, null);
    const timer = this.#clock.setTimer(waitMs, late);
    this.#waiting.set(span.id, { s, gen, timer, tracer });
    this.#asking.ask(span.id, {
      protocol: s.protocol,
      minor: req.minor,
      peer: s.peer?.address ?? null,
      method: req.method,
      path: req.path,
      authority: req.authority,
      headers: req.toObject(),
    });
    return Verdict.stop;
  }

  #take(id: number): Waiting | null {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return null;
    this.#waiting.delete(id);
    waiting.timer.cancel();
    return waiting.s.gen === waiting.gen ? waiting : null;
  }
}

/** By the worker's own tracer; the program still hears of the end. */
function begin(s: Stream, tracer: StreamTracer): void {
  const { span } = s;
  s.span = null;
  tracer.start(s);
  s.span = span;
}
