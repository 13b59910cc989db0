import type { MetricsSnapshot } from '../../core/contract/metrics.ts';

/** Type to namespace to key to value, all of them texts: what MOSN's console sink writes. */
export type MosnStats = Record<string, Record<string, Record<string, string>>>;

interface Meaning {
  readonly type: 'downstream' | 'upstream';
  readonly key: string;
  /** Counts under this label value only. */
  readonly only?: readonly [label: string, value: string];
}

/** MOSN's keys of our series. */
const meanings: Readonly<Record<string, readonly Meaning[]>> = {
  heddle_downstream_requests_total: [{ type: 'downstream', key: 'request_total' }],
  heddle_downstream_requests_active: [{ type: 'downstream', key: 'request_active' }],
  heddle_downstream_resets_total: [{ type: 'downstream', key: 'request_reset' }],
  heddle_downstream_body_bytes_received_total: [{ type: 'downstream', key: 'bytes_read_total' }],
  heddle_downstream_body_bytes_sent_total: [{ type: 'downstream', key: 'bytes_write_total' }],
  heddle_downstream_responses_total: [{ type: 'downstream', key: 'request_failed', only: ['class', '5xx'] }],
  heddle_listener_connections_total: [{ type: 'downstream', key: 'connection_total' }],
  heddle_listener_connections_active: [{ type: 'downstream', key: 'connection_active' }],
  heddle_cluster_requests_total: [{ type: 'upstream', key: 'request_total' }],
  heddle_cluster_active: [{ type: 'upstream', key: 'request_active' }],
  heddle_cluster_retries_total: [{ type: 'upstream', key: 'request_retry' }],
  heddle_cluster_timeouts_total: [{ type: 'upstream', key: 'request_timeout' }],
  heddle_cluster_resets_total: [{ type: 'upstream', key: 'request_remote_reset' }],
  heddle_cluster_connect_failures_total: [{ type: 'upstream', key: 'connection_con_fail' }],
  heddle_cluster_overflow_total: [
    { type: 'upstream', key: 'request_pending_overflow', only: ['limit', 'pending'] },
    { type: 'upstream', key: 'request_retry_overflow', only: ['limit', 'retries'] },
  ],
  heddle_cluster_responses_total: [
    { type: 'upstream', key: 'response_success', only: ['status', '2xx'] },
    { type: 'upstream', key: 'response_failed', only: ['status', '5xx'] },
  ],
};

/** The counts that MOSN has as well, under its names; namespaces are "listener.NAME", "cluster.NAME" and "proxy.global". */
export function mosnStats(snapshot: MetricsSnapshot): MosnStats {
  const sums = new Map<string, number>();
  const stats: MosnStats = { downstream: {}, upstream: {} };
  for (const { name, labels, values } of snapshot.series) {
    for (const { type, key, only } of meanings[name] ?? []) {
      if (only !== undefined && labels[only[0]] !== only[1]) continue;
      const owner = type === 'downstream' ? 'listener' : 'cluster';
      const value = values[0] ?? 0;
      add(stats, type, `${owner}.${labels[owner] ?? ''}`, key, value);
      if (type === 'downstream') sums.set(key, (sums.get(key) ?? 0) + value);
    }
  }
  for (const [key, value] of sums) add(stats, 'downstream', 'proxy.global', key, value);
  return stats;
}

function add(stats: MosnStats, type: string, namespace: string, key: string, value: number): void {
  stats[type] ??= {};
  const namespaces = stats[type] as Record<string, Record<string, string>>;
  namespaces[namespace] ??= {};
  const keys = namespaces[namespace] as Record<string, string>;
  keys[key] = String(Number(keys[key] ?? 0) + value);
}
