import type { Cluster, ClusterSlots, Host } from '../contract/cluster.ts';
import type { Metrics } from '../contract/metrics.ts';
import type { Stream } from '../contract/stream.ts';

/** The cluster as a hedge sees it: answers and times are counted apart, for the stream that it helps counts there already. */
export class HedgeCluster implements Cluster {
  readonly slots: ClusterSlots;
  /** Metric slots. */
  readonly hedges: number;
  readonly wins: number;
  readonly #cluster: Cluster;

  constructor(cluster: Cluster, metrics: Metrics) {
    const labels = { cluster: cluster.name };
    this.#cluster = cluster;
    this.hedges = metrics.counter('heddle_cluster_hedges_total', labels);
    this.wins = metrics.counter('heddle_cluster_hedge_wins_total', labels);
    this.slots = {
      ...cluster.slots,
      duration: metrics.histogram('heddle_cluster_hedge_duration_ms', labels),
      statusClass: [1, 2, 3, 4, 5].map((each) =>
        metrics.counter('heddle_cluster_hedge_responses_total', { ...labels, status: `${each}xx` }),
      ),
    };
  }

  get name(): string {
    return this.#cluster.name;
  }

  get hostSet(): Cluster['hostSet'] {
    return this.#cluster.hostSet;
  }

  get connectTimeoutMs(): number {
    return this.#cluster.connectTimeoutMs;
  }

  chooseHost(s: Stream): Host | number {
    return this.#cluster.chooseHost(s);
  }

  takeHost(host: Host): Host | number {
    return this.#cluster.takeHost(host);
  }

  release(host: Host): void {
    this.#cluster.release(host);
  }

  report(host: Host, status: number, code: number, durationMs: number): void {
    this.#cluster.report(host, status, code, durationMs);
  }

  takeRetry(): boolean {
    return this.#cluster.takeRetry();
  }

  releaseRetry(): void {
    this.#cluster.releaseRetry();
  }
}
