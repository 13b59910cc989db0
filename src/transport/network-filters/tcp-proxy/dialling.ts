import { Code } from '../../../core/base/codes.ts';
import type { Cluster, ConnectionPermits, Host } from '../../../core/contract/cluster.ts';
import type { DialledCluster, NetworkFilterContext } from '../../../core/contract/network-filter.ts';
import type { Dialer, Peer, Wire } from '../../../core/contract/wire.ts';

/** One try to reach a host: its permits, which are given back exactly once. */
export interface Attempt {
  readonly host: Host;
  readonly wire: Wire;
  readonly startMs: number;
}

/**
 * Reaches one host of a cluster, trying others when that fails. Each host is tried once: a second connect in the same
 * millisecond tells nothing new.
 */
export class Dialling {
  readonly cluster: Cluster;
  readonly proxyProtocol: DialledCluster['proxyProtocol'];
  readonly #permits: ConnectionPermits;
  attempts = 0;
  current: Attempt | null = null;
  readonly #context: NetworkFilterContext;
  readonly #dial: Dialer;
  readonly #maxAttempts: number;
  readonly #peer: Peer;
  #tried: Host[] | null = null;
  #holdsRetry = false;

  constructor(context: NetworkFilterContext, dialled: DialledCluster, maxAttempts: number, peer: Peer) {
    this.#context = context;
    this.#dial = dialled.dial ?? context.dial;
    this.cluster = dialled.cluster;
    this.proxyProtocol = dialled.proxyProtocol;
    this.#permits = dialled.permits;
    this.#maxAttempts = maxAttempts;
    this.#peer = peer;
  }

  /** Dials the next host. @returns the attempt, or a Code that says why there is none */
  next(): Attempt | number {
    const { cluster } = this;
    const host = this.#choose();
    if (typeof host === 'number') return host;
    if (this.#tried?.includes(host) === true) {
      cluster.release(host);
      return Code.noHost;
    }
    if (!this.#permits.tryConnection()) {
      cluster.release(host);
      return Code.connectionOverflow;
    }
    this.attempts++;
    const wire = this.#dial(host.address, cluster.connectTimeoutMs);
    this.current = { host, wire, startMs: this.#context.clock.now() };
    return this.current;
  }

  connected(): void {
    const { host, startMs } = this.current as Attempt;
    this.#releaseRetry();
    this.cluster.report(host, 200, Code.none, this.#context.clock.now() - startMs);
  }

  /** The current attempt came to nothing. @returns whether another host may be tried */
  failed(code: number): boolean {
    const { host, startMs } = this.current as Attempt;
    this.cluster.report(host, 0, code, this.#context.clock.now() - startMs);
    this.release();
    this.#releaseRetry();
    if (this.attempts >= this.#maxAttempts || !this.cluster.takeRetry()) return false;
    this.#holdsRetry = true;
    this.#tried ??= [];
    this.#tried.push(host);
    return true;
  }

  /** Gives back what the current attempt holds; the connection is gone. */
  release(): void {
    const attempt = this.current;
    if (attempt === null) return;
    this.current = null;
    this.#permits.releaseConnection();
    this.cluster.release(attempt.host);
  }

  /** Nothing more is tried. */
  end(): void {
    this.release();
    this.#releaseRetry();
  }

  #choose(): Host | number {
    const s = this.#context.acquireStream();
    s.peer = this.#peer;
    s.triedHosts = this.#tried;
    const host = this.cluster.chooseHost(s);
    this.#context.releaseStream(s);
    return host;
  }

  #releaseRetry(): void {
    if (!this.#holdsRetry) return;
    this.#holdsRetry = false;
    this.cluster.releaseRetry();
  }
}
