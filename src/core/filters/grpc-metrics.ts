import * as v from 'valibot';
import { rpcMethodOf, rpcServiceOf } from '../base/grpc-head.ts';
import { GrpcStatus, grpcStatusName, grpcStatusOfCode, readGrpcStatus } from '../base/grpc-status.ts';
import type { Stream } from '../contract/stream.ts';
import type { FilterContext, StreamFilter, StreamFilterDefinition } from '../contract/stream-filter.ts';
import { countOne } from './count.ts';

const Config = v.strictObject({
  /** Methods with series of their own, those that answered first; the rest share `_other`. */
  maxMethods: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)), 200),
});
export type GrpcMetricsConfig = v.InferOutput<typeof Config>;

const other = '_other';

/** Series of one method. */
interface MethodSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly duration: number;
  /** By status; made when it first comes. */
  readonly calls: number[];
}

/**
 * Counts calls of gRPC by service, method and status, with a histogram of their durations. Names come from strangers: a
 * method gets series once an upstream has answered it with anything but UNIMPLEMENTED, and only so many do.
 */
class GrpcMetrics implements StreamFilter {
  readonly #config: GrpcMetricsConfig;
  readonly #context: FilterContext;
  readonly #methods = new Map<string, MethodSeries>();
  readonly #other: MethodSeries;

  constructor(config: GrpcMetricsConfig, context: FilterContext) {
    this.#config = config;
    this.#context = context;
    this.#other = this.#series(other, other);
  }

  onStreamEnd(s: Stream): void {
    if (!s.isGrpc || s.route?.filterConfigs[this.#context.slot] === false) return;
    const status = statusOf(s);
    const series = this.#methods.get(s.req.path) ?? this.#admit(s, status);
    series.calls[status] ??= this.#context.metrics.counter('heddle_grpc_calls_total', {
      ...series.labels,
      status: grpcStatusName(status),
    });
    countOne(this.#context.metrics, series.calls[status] as number);
    this.#context.metrics.record(series.duration, s.endMs - s.startMs);
  }

  #admit(s: Stream, status: number): MethodSeries {
    const isKnown = !s.isLocalReply && s.res.status === 200 && status !== GrpcStatus.unimplemented;
    if (!isKnown || this.#methods.size >= this.#config.maxMethods) return this.#other;
    const series = this.#series(rpcServiceOf(s.req), rpcMethodOf(s.req));
    this.#methods.set(s.req.path, series);
    return series;
  }

  #series(service: string, method: string): MethodSeries {
    const labels = { listener: this.#context.owner, service, method };
    return {
      labels,
      duration: this.#context.metrics.histogram('heddle_grpc_duration_ms', labels),
      calls: [],
    };
  }
}

/** As the caller saw it: trailers, an answer that is nothing but trailers, or why there was none. */
function statusOf(s: Stream): number {
  const text = s.responseTrailers?.get('grpc-status') ?? s.res.get('grpc-status');
  return text === null ? grpcStatusOfCode(s.code) : readGrpcStatus(text);
}

export const grpcMetrics: StreamFilterDefinition<GrpcMetricsConfig> = {
  name: 'grpc-metrics',
  stage: 'beforeRoute',
  config: Config,
  create: (config, context) => new GrpcMetrics(config, context),
};
