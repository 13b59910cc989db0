import type { Metrics } from '../../../core/contract/metrics.ts';

/** Metric slots of one udp-proxy. */
export interface UdpSlots {
  readonly sessions: number;
  readonly active: number;
  readonly evicted: number;
  readonly unreachable: number;
  readonly datagramsReceived: number;
  readonly datagramsSent: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Datagrams that were dropped, by reason. */
  readonly sessionLimit: number;
  readonly sourceLimit: number;
  readonly rateLimit: number;
  readonly noHost: number;
  readonly draining: number;
}

export function udpSlots(metrics: Metrics, listener: string): UdpSlots {
  const counter = (what: string): number => metrics.counter(`heddle_udp_${what}_total`, { listener });
  const dropped = (reason: string): number =>
    metrics.counter('heddle_udp_datagrams_dropped_total', { listener, reason });
  return {
    sessions: counter('sessions'),
    active: metrics.gauge('heddle_udp_sessions_active', { listener }),
    evicted: counter('sessions_evicted'),
    unreachable: counter('unreachable'),
    datagramsReceived: counter('datagrams_received'),
    datagramsSent: counter('datagrams_sent'),
    bytesReceived: counter('bytes_received'),
    bytesSent: counter('bytes_sent'),
    sessionLimit: dropped('session_limit'),
    sourceLimit: dropped('source_limit'),
    rateLimit: dropped('rate_limit'),
    noHost: dropped('no_host'),
    draining: dropped('draining'),
  };
}

export function count(metrics: Metrics, slot: number, by: number): void {
  const values = metrics.values;
  values[slot] = (values[slot] as number) + by;
}
