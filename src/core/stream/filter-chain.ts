import type { FilterChain } from '../contract/pipeline.ts';
import type { FilterStage, StreamFilter } from '../contract/stream-filter.ts';

export interface NamedFilter {
  readonly name: string;
  readonly stage: FilterStage;
  readonly filter: StreamFilter;
}

/** Sorts the hooks of configured filters once, so that an absent hook costs nothing. Response hooks run in reverse. */
export function buildFilterChain(all: readonly NamedFilter[]): FilterChain {
  const having = (hook: keyof StreamFilter, filters: readonly NamedFilter[] = all): StreamFilter[] =>
    filters.filter((each) => each.filter[hook] !== undefined).map((each) => each.filter);
  const atStage = (stage: FilterStage): StreamFilter[] =>
    having(
      'onRequestHead',
      all.filter((each) => each.stage === stage),
    );
  return {
    all,
    beforeRoute: atStage('beforeRoute'),
    afterRoute: atStage('afterRoute'),
    afterHost: atStage('afterHost'),
    requestBody: having('onRequestBody'),
    requestTrailers: having('onRequestTrailers'),
    responseHead: having('onResponseHead').reverse(),
    responseBody: having('onResponseBody').reverse(),
    responseTrailers: having('onResponseTrailers').reverse(),
    streamEnd: having('onStreamEnd'),
  };
}

/** The configured name of a filter, for log lines. */
export function nameOfFilter(chain: FilterChain, filter: StreamFilter): string {
  return chain.all.find((each) => each.filter === filter)?.name ?? '(unknown)';
}
