import { Code } from '../../../core/base/codes.ts';
import type { ServerConnection, ServerOwner } from '../../../core/contract/codec.ts';
import {
  Admission,
  type ArrivingConnection,
  type DialledCluster,
  type NetworkFilter,
  type NetworkFilterContext,
} from '../../../core/contract/network-filter.ts';
import type { Wire } from '../../../core/contract/wire.ts';
import type { TcpProxyConfig } from './config.ts';
import { Dialling } from './dialling.ts';
import { TcpLog, type TcpRecord } from './log.ts';
import { type TcpSlots, tcpSlots } from './slots.ts';
import { TcpTargets } from './targets.ts';
import { TcpTunnel } from './tunnel.ts';

/** What all connections of one tcp-proxy share. */
export class TcpProxyFilter implements NetworkFilter {
  readonly context: NetworkFilterContext;
  readonly slots: TcpSlots;
  readonly idleTimeoutMs: number;
  readonly #config: TcpProxyConfig;
  readonly #targets: TcpTargets;
  readonly #logs: readonly TcpLog[];

  constructor(config: TcpProxyConfig, context: NetworkFilterContext) {
    this.context = context;
    this.slots = tcpSlots(context.metrics, context.owner);
    this.idleTimeoutMs = config.idleTimeoutMs;
    this.#config = config;
    this.#targets = new TcpTargets(config, context.random);
    this.#logs = config.accessLog.map((each) => new TcpLog(each.path, context));
  }

  admit(): Admission {
    return Admission.pass;
  }

  serve(connection: ArrivingConnection, owner: ServerOwner): ServerConnection {
    const { context } = this;
    const name = this.#targets.choose(connection);
    const cluster = name === null ? null : context.cluster(name);
    const { wire, destination } = connection;
    const { maxConnectAttempts } = this.#config;
    const dialling = cluster === null ? null : new Dialling(context, cluster, maxConnectAttempts, wire.peer);
    const tunnel = new TcpTunnel(this, wire, owner, dialling, destination);
    if (name === null) {
      const values = context.metrics.values;
      values[this.slots.noRoute] = (values[this.slots.noRoute] as number) + 1;
    }
    tunnel.begin(name === null ? Code.noRoute : Code.noCluster);
    return tunnel;
  }

  /** Writes borrowed bytes. @returns false when the wire is full */
  copyTo(wire: Wire, buf: Buffer, start: number, end: number): boolean {
    const { slab } = this.context.codec;
    const at = slab.reserve(end - start);
    const room = slab.buf;
    buf.copy(room, at, start, end);
    const until = at + end - start;
    slab.commit(until);
    const hasRoom = wire.write(room, at, until);
    if (wire.pending === 0) slab.rewind(room, at);
    return hasRoom;
  }

  /** What a host is told before the client's first byte. */
  introduce(_up: Wire, _client: Wire, _version: DialledCluster['proxyProtocol']): void {}

  log(record: TcpRecord): void {
    for (const each of this.#logs) each.write(record);
  }
}
