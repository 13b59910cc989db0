/** Contracts and building blocks for authors of extensions. Public as `heddle/core`. */

export type { Clock, Timer } from './base/clock.ts';
export { Code, type CodeFacts, factsOf } from './base/codes.ts';
export { type ErrorCode, errorCodes } from './base/error-codes.ts';
export { HeddleError } from './base/errors.ts';
export { HeadView } from './base/head-view.ts';
export { type HeaderField, headerField } from './base/header-field.ts';
export { type Random, SeededRandom } from './base/random.ts';
export { TimerWheel, WheelNode } from './base/timer-wheel.ts';
export type * from './contract/cluster.ts';
export * from './contract/codec.ts';
export type * from './contract/extension.ts';
export * from './contract/health-check.ts';
export type * from './contract/limiter.ts';
export type * from './contract/logger.ts';
export type * from './contract/metrics.ts';
export * from './contract/network-filter.ts';
export { Phase, type PhaseName, phases } from './contract/phase.ts';
export type * from './contract/pipeline.ts';
export type * from './contract/pool.ts';
export type * from './contract/registry.ts';
export * from './contract/route.ts';
export type * from './contract/state.ts';
export { BodyBuffer, Paused, Stream, type StreamCore } from './contract/stream.ts';
export { type StreamEnd, type StreamSink, type Upstream, waiting } from './contract/stream-end.ts';
export * from './contract/stream-filter.ts';
export type * from './contract/wire.ts';
export { MetricsTable } from './observe/metrics.ts';
