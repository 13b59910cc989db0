import { Code } from '../../core/base/codes.ts';
import { ClusterMetrics } from '../../core/cluster/cluster-metrics.ts';
import type { Cluster, ClusterSlots, Host, HostSet } from '../../core/contract/cluster.ts';
import type { Metrics } from '../../core/contract/metrics.ts';
import type { ClusterRef, Route } from '../../core/contract/route.ts';
import type { Stream } from '../../core/contract/stream.ts';
import type { StreamEnd } from '../../core/contract/stream-end.ts';
import { makeRoute } from '../../core/route/make-route.ts';

/** A downstream end behind which the application stands: streams of protected servers have one. */
export interface ApplicationDoor {
  /** Lets the request through to the application. */
  admit(s: Stream): StreamEnd;
}

/**
 * The application as the one host of a cluster, so that its requests go through the same phases as all others. It has no
 * thresholds and is never ejected: what limits it are the filters.
 */
export class ApplicationCluster implements Cluster {
  readonly name = 'application';
  readonly connectTimeoutMs = 0;
  readonly slots: ClusterSlots;
  readonly hostSet: HostSet;
  readonly #host: Host;
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.slots = new ClusterMetrics(metrics, this.name).slots;
    this.#host = {
      address: 'application',
      label: Buffer.from('application'),
      cluster: this.name,
      weight: 1,
      metadata: {},
      zone: '',
      priority: 0,
      hostname: '',
      active: 0,
      index: 0,
      isUnhealthy: false,
      ejectedUntilMs: 0,
      sinceMs: 0,
      isRemoved: false,
      upstream: {
        open: (s) => (hasDoor(s.down) ? s.down.admit(s) : Code.noHost),
        cancelWait() {},
      },
    };
    const all = [this.#host];
    this.hostSet = { version: 1, all, available: all, isPanic: false, changes: null };
  }

  chooseHost(_s: Stream): Host {
    return this.takeHost(this.#host);
  }

  takeHost(host: Host): Host {
    host.active++;
    (this.#metrics.values[this.slots.requests] as number)++;
    (this.#metrics.values[this.slots.active] as number)++;
    return host;
  }

  release(host: Host): void {
    host.active--;
    (this.#metrics.values[this.slots.active] as number)--;
  }

  report(): void {}

  takeRetry(): boolean {
    return false;
  }

  releaseRetry(): void {}
}

const hasDoor = (end: (StreamEnd & Partial<ApplicationDoor>) | null): end is StreamEnd & ApplicationDoor =>
  end?.admit !== undefined;

/** To the application, with no limits of time: its server has its own. */
export function applicationRoute(cluster: ClusterRef): Route {
  return makeRoute({
    name: 'application',
    virtualHost: 'application',
    action: { kind: 'forward', cluster },
    timeoutMs: 0,
    idleTimeoutMs: 0,
  });
}
