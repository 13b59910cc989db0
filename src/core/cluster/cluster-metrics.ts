import type { ClusterSlots } from '../contract/cluster.ts';
import type { Metrics } from '../contract/metrics.ts';
import type { PermitKind } from './circuit-breakers.ts';

const classes = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;
const permitKinds = ['connections', 'pending', 'requests', 'retries'] as const;

/** The series of one cluster. */
export class ClusterMetrics {
  readonly slots: ClusterSlots;
  /** Gauges. */
  readonly hosts: number;
  readonly available: number;
  readonly ejected: number;
  readonly panic: number;
  readonly unhealthy: number;
  readonly ejections: number;
  readonly ejectionsRefused: number;
  readonly checksPassed: number;
  readonly checksFailed: number;
  readonly healthFlips: number;
  readonly overflows: Readonly<Record<PermitKind, number>>;
  readonly #metrics: Metrics;
  readonly #series: [name: string, labels: Record<string, string>][] = [];
  readonly #cluster: string;

  constructor(metrics: Metrics, cluster: string) {
    this.#metrics = metrics;
    this.#cluster = cluster;
    const overflows = {} as Record<PermitKind, number>;
    for (const limit of permitKinds) overflows[limit] = this.#counter('overflow', { limit });
    this.overflows = overflows;
    this.slots = {
      requests: this.#counter('requests'),
      active: this.#gauge('active'),
      retries: this.#counter('retries'),
      retryOverflow: this.#counter('retry_overflow'),
      retryBodyTooLarge: this.#counter('retry_body_too_large'),
      overflow: overflows.requests,
      noHost: this.#counter('no_host'),
      timeouts: this.#counter('timeouts'),
      resets: this.#counter('resets'),
      connectFailures: this.#counter('connect_failures'),
      duration: this.#histogram('duration_ms'),
      statusClass: classes.map((status) => this.#counter('responses', { status })),
    };
    this.hosts = this.#gauge('hosts');
    this.available = this.#gauge('hosts_available');
    this.ejected = this.#gauge('hosts_ejected');
    this.panic = this.#gauge('panic');
    this.unhealthy = this.#gauge('hosts_unhealthy');
    this.ejections = this.#counter('ejections');
    this.ejectionsRefused = this.#counter('ejections_refused');
    this.checksPassed = this.#counter('health_checks', { result: 'passed' });
    this.checksFailed = this.#counter('health_checks', { result: 'failed' });
    this.healthFlips = this.#counter('health_flips');
  }

  /** Frees the series: the cluster is gone. */
  release(): void {
    for (const [name, labels] of this.#series) this.#metrics.release(name, labels);
  }

  #counter(what: string, labels: Record<string, string> = {}): number {
    return this.#metrics.counter(...this.#remember(`heddle_cluster_${what}_total`, labels));
  }

  #gauge(what: string): number {
    return this.#metrics.gauge(...this.#remember(`heddle_cluster_${what}`, {}));
  }

  #histogram(what: string): number {
    return this.#metrics.histogram(...this.#remember(`heddle_cluster_${what}`, {}));
  }

  #remember(name: string, labels: Record<string, string>): [string, Record<string, string>] {
    const series: [string, Record<string, string>] = [name, { cluster: this.#cluster, ...labels }];
    this.#series.push(series);
    return series;
  }
}
