import { Code } from '../../../core/base/codes.ts';
import type { Cluster, ConnectionPermits, Host } from '../../../core/contract/cluster.ts';
import type { DatagramContext, DatagramHandler } from '../../../core/contract/network-filter.ts';
import type { Peer } from '../../../core/contract/wire.ts';
import type { UdpProxyConfig } from './index.ts';
import { UdpLog, type UdpRecord } from './log.ts';
import { UdpSession } from './session.ts';
import { count, type UdpSlots, udpSlots } from './slots.ts';
import { UdpSource } from './source.ts';

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
  readonly #sources = new Map<string, UdpSource>();
  readonly #logs: readonly UdpLog[];
  readonly #pick: () => string;
  #done: (() => void) | null = null;

  constructor(config: UdpProxyConfig, context: DatagramContext, pick: () => string) {
    this.config = config;
    this.context = context;
    this.slots = udpSlots(context.metrics, context.owner);
    this.#pick = pick;
    this.#logs = config.accessLog.map(({ path }) => new UdpLog(path, context));
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
    if (session === null) return;
    const source = this.#sources.get(peer.address) as UdpSource;
    if (source.mayPass(this.config.maxDatagramsPerSecond, this.context.clock.now()))
      session.fromClient(message);
    else count(metrics, this.slots.rateLimit, 1);
  }

  drain(done: () => void): void {
    this.#done = done;
    if (this.#all.size === 0) done();
  }

  close(): void {
    for (const session of [...this.#all.values()]) session.end('closed');
  }

  get isLogging(): boolean {
    return this.#logs.length > 0;
  }

  /** @internal By a session that is over. */
  log(record: UdpRecord): void {
    for (const log of this.#logs) log.write(record);
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
    const source = this.#sources.get(address);
    if (source !== undefined && --source.sessions === 0) this.#sources.delete(address);
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
    this.#sourceOf(peer.address).sessions++;
    count(this.context.metrics, this.slots.sessions, 1);
    this.context.metrics.values[this.slots.active] = this.#all.size;
    session.begin();
    return session;
  }

  /** Slot of the reason why not. */
  #mayBegin(peer: Peer): number | null {
    const { maxSessions, maxSessionsPerSource } = this.config;
    if (this.#done !== null) return this.slots.draining;
    const sessions = this.#sources.get(peer.address)?.sessions ?? 0;
    if (maxSessionsPerSource > 0 && sessions >= maxSessionsPerSource) {
      return this.slots.sourceLimit;
    }
    if (this.#all.size < maxSessions) return null;
    const oldest = this.#unanswered.values().next().value;
    if (oldest === undefined) return this.slots.sessionLimit;
    count(this.context.metrics, this.slots.evicted, 1);
    oldest.end('evicted');
    return null;
  }

  #sourceOf(address: string): UdpSource {
    let source = this.#sources.get(address);
    if (source === undefined) {
      source = new UdpSource(this.config.maxDatagramsPerSecond, this.context.clock.now());
      this.#sources.set(address, source);
    }
    return source;
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
