import type { RepeatPlan, StreamFilter } from '../contract/stream-filter.ts';

/** The plan of a filter that has nothing to do. */
export const noPlan: RepeatPlan = { counts: [], passes: null };

/**
 * The same filter with every hook as a field, absent ones undefined: filters of one shape let the core's call sites
 * stay monomorphic (ten filters of ten shapes cost about 100 ns more a request).
 */
export function shapeHooks(hooks: StreamFilter): StreamFilter {
  const shaped: Record<keyof StreamFilter, unknown> = {
    onRequestHead: hooks.onRequestHead,
    onRequestBody: hooks.onRequestBody,
    onRequestTrailers: hooks.onRequestTrailers,
    onResponseHead: hooks.onResponseHead,
    onResponseBody: hooks.onResponseBody,
    onResponseTrailers: hooks.onResponseTrailers,
    onStreamEnd: hooks.onStreamEnd,
    passesAnswer: hooks.passesAnswer,
    passesBody: hooks.passesBody,
    planRepeat: hooks.planRepeat,
  };
  return shaped as StreamFilter;
}
