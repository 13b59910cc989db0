import type { Metrics } from '../../../core/contract/metrics.ts';

/** Metric slots of one tcp-proxy. */
export interface TcpSlots {
  readonly connections: number;
  readonly active: number;
  readonly received: number;
  readonly sent: number;
  readonly noRoute: number;
  readonly connectFailures: number;
  readonly connectRetries: number;
  readonly idleTimeouts: number;
  readonly resets: number;
}

export function tcpSlots(metrics: Metrics, listener: string): TcpSlots {
  const counter = (what: string): number => metrics.counter(`heddle_tcp_${what}_total`, { listener });
  return {
    connections: counter('connections'),
    active: metrics.gauge('heddle_tcp_connections_active', { listener }),
    received: counter('bytes_received'),
    sent: counter('bytes_sent'),
    noRoute: counter('no_route'),
    connectFailures: counter('connect_failures'),
    connectRetries: counter('connect_retries'),
    idleTimeouts: counter('idle_timeouts'),
    resets: counter('resets'),
  };
}

export function add(metrics: Metrics, slot: number, change: number): void {
  const values = metrics.values;
  values[slot] = (values[slot] as number) + change;
}
