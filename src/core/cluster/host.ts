import type {
  ConnectionPermits,
  Endpoint,
  Host,
  HostUpstream,
  UpstreamFactory,
} from '../contract/cluster.ts';
import type { HostCheck } from './health/active.ts';
import type { HostRecord } from './host-statistics.ts';
import type { HostTally } from './host-tally.ts';

/** What the hosts of one cluster share: one reference each instead of four. */
export interface HostOwner {
  readonly name: string;
  readonly createUpstream: UpstreamFactory;
  readonly permits: ConnectionPermits;
}

/**
 * One address with its state. Upstream and label are made on first use, so that a host that never gets traffic costs
 * about 200 bytes.
 */
export class ClusterHost implements Host {
  readonly address: string;
  weight: number;
  metadata: Readonly<Record<string, string>>;
  zone: string;
  priority: number;
  hostname: string;

  active = 0;
  index = -1;
  /** A small number of its own while it is in the list; given to another host afterwards. */
  slot = -1;
  /** Position among the available ones, -1 when it is not one of them. */
  availableIndex = -1;
  /** Counted as one that may get traffic: its weight is above 0. */
  isEligible = false;
  /** The priority under which it is counted, -1 when it is not in the list. */
  countedPriority = -1;
  /** The weight under which it counts as healthy, 0 when it does not. */
  countedWeight = 0;
  isUnhealthy = false;
  isCountedUnhealthy = false;
  /** The count of its priority and zone that it is in, and whether as a healthy one. */
  tally: HostTally | null = null;
  isTalliedHealthy = false;
  isRemoved = false;
  /** Failed in a row; ejections so far, falling again while it behaves. */
  consecutiveErrors = 0;
  consecutiveGatewayErrors = 0;
  consecutiveLocalErrors = 0;
  ejections = 0;
  /** Tries and failed ones among them since hosts were last compared. */
  windowTries = 0;
  windowErrors = 0;
  ejectedUntilMs = 0;
  sinceMs: number;
  statistics: HostRecord | null = null;
  /** Its active checks, null where the cluster has none. */
  check: HostCheck | null = null;
  readonly #owner: HostOwner;
  #upstream: HostUpstream | null = null;
  #label: Buffer | null = null;

  constructor(owner: HostOwner, endpoint: Endpoint, nowMs: number) {
    this.#owner = owner;
    this.address = endpoint.address;
    this.weight = endpoint.weight;
    this.metadata = endpoint.metadata;
    this.zone = endpoint.zone;
    this.priority = endpoint.priority;
    this.hostname = endpoint.hostname;
    this.sinceMs = nowMs;
  }

  get cluster(): string {
    return this.#owner.name;
  }

  get upstream(): HostUpstream {
    if (this.#upstream === null) this.#upstream = this.#owner.createUpstream(this, this.#owner.permits);
    return this.#upstream;
  }

  get connections(): number {
    // Layer 4 dials by itself and leaves the upstream without any: a stream is a connection there.
    return this.#upstream?.connections || this.active;
  }

  get label(): Buffer {
    if (this.#label === null) this.#label = Buffer.from(this.address, 'latin1');
    return this.#label;
  }

  /** Whether it may get traffic when the cluster is not in panic. */
  get isHealthy(): boolean {
    return !this.isUnhealthy && this.ejectedUntilMs === 0;
  }

  /** Takes over new facts about the same address; pools, health and counts stay. */
  change(endpoint: Endpoint): void {
    this.weight = endpoint.weight;
    this.metadata = endpoint.metadata;
    this.zone = endpoint.zone;
    this.priority = endpoint.priority;
    this.hostname = endpoint.hostname;
  }

  /**
   * Gone from discovery: what runs may finish. The upstream drains once no stream is left, so that one which has chosen
   * this host but waits in a filter still gets through.
   */
  remove(): void {
    this.isRemoved = true;
    if (this.active === 0) this.drain();
  }

  /** Takes no new streams on the connections it has; nothing when it never had one. */
  drain(): void {
    this.#upstream?.drain();
  }

  close(): void {
    this.#upstream?.close();
  }

  /** The next use makes a new upstream; the old one drains. */
  renewUpstream(): void {
    this.#upstream?.drain();
    this.#upstream = null;
  }

  toEndpoint(): Endpoint {
    const { address, weight, metadata, zone, priority, hostname } = this;
    return { address, weight, metadata, zone, priority, hostname };
  }
}
