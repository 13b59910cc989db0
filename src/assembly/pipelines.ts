import { HeddleError } from '../core/base/errors.ts';
import { headerField } from '../core/base/header-field.ts';
import { canonicalJson } from '../core/config/canonical-json.ts';
import type { PipelineConfig } from '../core/contract/config.ts';
import type { Pipeline, PipelineSlots, Router } from '../core/contract/pipeline.ts';
import type { ClusterRef } from '../core/contract/route.ts';
import type { StreamFilter } from '../core/contract/stream-filter.ts';
import { createAccessLog } from '../core/observe/access-log/access-log.ts';
import { compileValue } from '../core/observe/access-log/compile-value.ts';
import { createTracer } from '../core/observe/tracing.ts';
import { compileRouter } from '../core/route/router.ts';
import { buildFilterChain, type NamedFilter } from '../core/stream/filter-chain.ts';
import type { Runtime } from './runtime.ts';

/** A pipeline with what a reload needs to keep unchanged parts. */
export interface BuiltPipeline {
  readonly config: PipelineConfig;
  readonly pipeline: Pipeline;
  /** By slot. */
  readonly filters: readonly { readonly key: string; readonly filter: StreamFilter }[];
}

/**
 * Builds what a listener does with its streams. Filters whose name, place and configuration did not change are taken
 * over from `before` with their state (limiter windows, counts).
 *
 * @throws HeddleError ERR_CONFIG_INVALID when a filter cannot be built: nothing starts without it
 */
export function buildPipeline(
  name: string,
  config: PipelineConfig,
  runtime: Runtime,
  ref: (cluster: string) => ClusterRef,
  before: BuiltPipeline | null,
  fallback: Router | null = null,
): BuiltPipeline {
  const filters = config.filters.map((each, slot) => {
    const key = canonicalJson([each.name, each.config ?? {}]);
    const kept = before?.filters[slot];
    return { key, filter: kept?.key === key ? kept.filter : createFilter(name, each, slot, runtime) };
  });
  const named: NamedFilter[] = filters.map(({ filter }, slot) => {
    const definition = definitionOf((config.filters[slot] as { name: string }).name, runtime);
    return { name: definition.name, stage: definition.stage, filter };
  });
  const pipeline: Pipeline = {
    name,
    filters: buildFilterChain(named),
    router:
      config.virtualHosts.length === 0 && fallback !== null ? fallback : routerOf(name, config, runtime, ref),
    accessLogs: config.accessLog.map((each) => createAccessLog(each, runtime)),
    tracer: config.tracing.enabled ? createTracer(runtime) : null,
    streamIdleTimeoutMs: config.streamIdleTimeoutMs,
    maxBufferedBytes: config.maxBufferedBytes,
    serverHeader: config.serverHeader === '' ? null : headerField('server', config.serverHeader),
    normalizePath: config.normalizePath,
    slots: pipelineSlots(name, runtime),
  };
  return { config, pipeline: runtime.spans?.around(pipeline) ?? pipeline, filters };
}

function createFilter(
  owner: string,
  named: { readonly name: string; readonly config?: unknown },
  slot: number,
  runtime: Runtime,
): StreamFilter {
  const { clock, random, logger, metrics, logs, processes, closers } = runtime;
  const onClose = (run: () => unknown): void => void closers.push(run);
  const definition = definitionOf(named.name, runtime);
  const context = { clock, random, logger, metrics, logs, processes, slot, owner, onClose };
  return definition.create(named.config ?? {}, context);
}

function definitionOf(name: string, runtime: Runtime) {
  const definition = runtime.extensions.filters.find((each) => each.name === name);
  if (definition === undefined) {
    throw new HeddleError('ERR_CONFIG_INVALID', `no stream filter is named ${JSON.stringify(name)}`);
  }
  return definition;
}

function routerOf(
  name: string,
  config: PipelineConfig,
  runtime: Runtime,
  ref: (cluster: string) => ClusterRef,
): Router {
  const { metrics } = runtime;
  const failed = metrics.counter('heddle_route_expression_errors_total', { listener: name });
  return compileRouter(config.virtualHosts, {
    clusterRef: ref,
    compileValue,
    random: runtime.random,
    filterSlots: slotsByName(config),
    edits: config,
    onExpressionError: () => {
      (metrics.values[failed] as number)++;
    },
  });
}

function slotsByName(config: PipelineConfig): ReadonlyMap<string, readonly number[]> {
  const slots = new Map<string, number[]>();
  config.filters.forEach(({ name }, slot) => {
    const known = slots.get(name);
    if (known === undefined) slots.set(name, [slot]);
    else known.push(slot);
  });
  return slots;
}

function pipelineSlots(listener: string, runtime: Runtime): PipelineSlots {
  const metrics = runtime.metrics;
  const labels = { listener };
  return {
    requests: metrics.counter('heddle_downstream_requests_total', labels),
    active: metrics.gauge('heddle_downstream_requests_active', labels),
    resets: metrics.counter('heddle_downstream_resets_total', labels),
    statusClass: [1, 2, 3, 4, 5].map((each) =>
      metrics.counter('heddle_downstream_responses_total', { listener, class: `${each}xx` }),
    ),
    duration: metrics.histogram('heddle_downstream_duration_ms', labels),
    bytesReceived: metrics.counter('heddle_downstream_body_bytes_received_total', labels),
    bytesSent: metrics.counter('heddle_downstream_body_bytes_sent_total', labels),
  };
}
