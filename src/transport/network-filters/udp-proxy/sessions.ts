import { Code } from '../../../core/base/codes.ts';
import type { Cluster, ConnectionPermits, Host } from '../../../core/contract/cluster.ts';
import type { DatagramContext, DatagramHandler } from '../../../core/contract/network-filter.ts';
import type { Peer } from '../../../core/contract/wire.ts';
import type { UdpProxyConfig } from './index.ts';
import { UdpSession } from './session.ts';
import { count, type UdpSlots, udpSlots } from './slots.ts';

/**
 * Sessions by client address and port: each has a host and a socket of its own until it is idle.
 *
 * Datagrams are easily sent under a false address, so the number of sessions is bounded, in all and for each client
 * address. When the bound is reached, a session that was never answered makes room: a flood that nobody answers cannot
 * lock clients out for the length of the idle time.
 */
export class UdpSessions implements DatagramHandler {
  readonly context: DatagramContext;
  readonly config: UdpProxyConfig;
  readonly slots: UdpSlots;
  readonly #all = new Map<string, UdpSession>();
  /** Never answered, the oldest first. */
  readonly #unanswered = new Set<UdpSession>();
  readonly #perSource = new Map<string, number>();
  readonly #pick: () => string;
  #done: (() => void) | null = null;

  constructor(config: UdpProxyConfig, context: DatagramContext, pick: () => string) {
    this.config = config;
    this.context = context;
    this.slots = udpSlots(context.metrics, context.owner);
    this.#pick = pick;
  }

  get sessions(): number {
    return this.#all.size;
  }

  received(message: Buffer, peer: Peer, reply: (message: Buffer) => void): void {
    const { metrics } = this.context;
    count(metrics, this.slots.datagramsReceived, 1);
    count(metrics, this.slots.bytesReceived, message.length);
    const key = `${peer.address} ${peer.port}`;
    const session = this.#all.get(key) ?? this.#begin(key, peer, reply);
    session?.fromClient(message);
  }

  drain(done: () => void): void {
    this.#done = done;
    if (this.#all.size === 0) done();
  }

  close(): void {
    for (const session of [...this.#all.values()]) session.end();
  }

  /** @internal By a session. */
  answered(session: UdpSession): void {
    this.#unanswered.delete(session);
  }

  /** @internal By a session that is over. */
  ended(session: UdpSession): void {
    if (!this.#all.delete(session.key)) return;
    this.#unanswered.delete(session);
    const { address } = session.peer;
    const left = (this.#perSource.get(address) ?? 1) - 1;
    if (left === 0) this.#perSource.delete(address);
    else this.#perSource.set(address, left);
    this.context.metrics.values[this.slots.active] = this.#all.size;
    if (this.#all.size === 0) this.#done?.();
  }

  #begin(key: string, peer: Peer, reply: (message: Buffer) => void): UdpSession | null {
    const refusal = this.#mayBegin(peer);
    if (refusal !== null) return this.#drop(refusal);
    const dialled = this.context.cluster(this.#pick());
    const host = dialled === null ? Code.noCluster : this.#choose(dialled.cluster, dialled.permits, peer);
    if (dialled === null || typeof host === 'number') return this.#drop(this.slots.noHost);
    const session = new UdpSession(this, key, peer, reply, dialled, host);
    this.#all.set(key, session);
    this.#unanswered.add(session);
    this.#perSource.set(peer.address, (this.#perSource.get(peer.address) ?? 0) + 1);
    count(this.context.metrics, this.slots.sessions, 1);
    this.context.metrics.values[this.slots.active] = this.#all.size;
    session.begin();
    return session;
  }

  /** Slot of the reason why not. */
  #mayBegin(peer: Peer): number | null {
    const { maxSessions, maxSessionsPerSource } = this.config;
    if (this.#done !== null) return this.slots.draining;
    if (maxSessionsPerSource > 0 && (this.#perSource.get(peer.address) ?? 0) >= maxSessionsPerSource) {
      return this.slots.sourceLimit;
    }
    if (this.#all.size < maxSessions) return null;
    const oldest = this.#unanswered.values().next().value;
    if (oldest === undefined) return this.slots.sessionLimit;
    count(this.context.metrics, this.slots.evicted, 1);
    oldest.end();
    return null;
  }

  #choose(cluster: Cluster, permits: ConnectionPermits, peer: Peer): Host | number {
    const s = this.context.acquireStream();
    s.peer = peer;
    const host = cluster.chooseHost(s);
    this.context.releaseStream(s);
    if (typeof host === 'number' || permits.tryConnection()) return host;
    cluster.release(host);
    return Code.connectionOverflow;
  }

  #drop(slot: number): null {
    count(this.context.metrics, slot, 1);
    return null;
  }
}
