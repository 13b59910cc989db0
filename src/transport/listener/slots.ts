import type { Metrics } from '../../core/contract/metrics.ts';

/** Metric slots of one listener's accepting side. */
export interface ListenerSlots {
  readonly connections: number;
  readonly active: number;
  readonly overConnections: number;
  readonly overSource: number;
  readonly acceptErrors: number;
  readonly pauses: number;
}

export function listenerSlots(metrics: Metrics, listener: string): ListenerSlots {
  const rejected = (reason: string): number =>
    metrics.counter('heddle_listener_connections_rejected_total', { listener, reason });
  return {
    connections: metrics.counter('heddle_listener_connections_total', { listener }),
    active: metrics.gauge('heddle_listener_connections_active', { listener }),
    overConnections: rejected('max_connections'),
    overSource: rejected('max_connections_per_source'),
    acceptErrors: metrics.counter('heddle_listener_accept_errors_total', { listener }),
    pauses: metrics.counter('heddle_listener_accept_pauses_total', { listener }),
  };
}
