import type { HeaderField } from '../base/header-field.ts';
import type { Route } from './route.ts';
import type { Stream } from './stream.ts';
import type { FilterStage, StreamFilter } from './stream-filter.ts';

/** What a listener (or the in-process entry) does with a stream: an immutable snapshot, swapped whole by a reload. */
export interface Pipeline {
  /** Listener name, the metric label `listener`. */
  readonly name: string;
  readonly filters: FilterChain;
  readonly router: Router;
  readonly accessLogs: readonly AccessLog[];
  readonly tracer: StreamTracer | null;
  /** No bytes in either direction for this long ends the stream; 0 = off (300 s). */
  readonly streamIdleTimeoutMs: number;
  /** Body bytes a filter may make us hold, per direction (1 MiB). */
  readonly maxBufferedBytes: number;
  /** Added to every response; null leaves the upstream's. */
  readonly serverHeader: HeaderField | null;
  /** Normalise the path before filters and routes see it: dot segments, duplicate slashes, %2e (RFC 3986 §6.2.2). */
  readonly normalizePath: PathNormalization;
  readonly slots: PipelineSlots;
}

/** How paths are made canonical (RFC 3986 §6.2.2) before filters and routes see them; escapes of unreserved characters are always decoded. */
export interface PathNormalization {
  /** Remove "." and ".." segments, also as %2e; what climbs above the root is refused with 400 (true). */
  readonly dotSegments: boolean;
  /** Make one slash of several in a row (false). */
  readonly mergeSlashes: boolean;
  /** What becomes of %2f and %5c: keep | reject (400) | unescape ("keep"). */
  readonly escapedSlashes: 'keep' | 'reject' | 'unescape';
}

/** Metric slots of one listener. */
export interface PipelineSlots {
  readonly requests: number;
  readonly active: number;
  readonly resets: number;
  /** Five counters in a row: 1xx, 2xx, 3xx, 4xx, 5xx. */
  readonly statusClass: readonly number[];
  readonly duration: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

export interface Router {
  /** Null: no route, 404. May set `s.cluster` hints only through the route. */
  match(s: Stream): Route | null;
  /** The head alone, and what filters make of it, decides which route is found. Absent: false. */
  readonly isByHead?: boolean;
}

/** Filters sorted once, one array a hook; entries without the hook are left out. */
export interface FilterChain {
  /** Instances in configured order. */
  readonly all: readonly {
    readonly name: string;
    readonly stage: FilterStage;
    readonly filter: StreamFilter;
  }[];
  readonly beforeRoute: readonly StreamFilter[];
  readonly afterRoute: readonly StreamFilter[];
  readonly afterHost: readonly StreamFilter[];
  readonly requestBody: readonly StreamFilter[];
  readonly requestTrailers: readonly StreamFilter[];
  readonly responseHead: readonly StreamFilter[];
  readonly responseBody: readonly StreamFilter[];
  readonly responseTrailers: readonly StreamFilter[];
  readonly streamEnd: readonly StreamFilter[];
}

export interface AccessLog {
  /** Called once per stream after `onStreamEnd`; buffers and writes in batches. */
  write(s: Stream): void;
}

/** Continues or begins a trace; W3C trace context, spans through the OpenTelemetry API. */
export interface StreamTracer {
  /** Before the first filter: reads or makes trace id and span id, sets the outgoing `traceparent`. */
  start(s: Stream): void;
  end(s: Stream): void;
}
