import { parseAddress } from '../../../core/base/address.ts';
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
import { encodeProxyHeader, type ProxyFacts } from '../proxy-protocol/encode.ts';
import { parseClientHello } from '../tls-hello/parse.ts';
import type { TcpProxyConfig } from './config.ts';
import { Dialling } from './dialling.ts';
import { TcpLog, type TcpRecord } from './log.ts';
import { type TcpSlots, tcpSlots } from './slots.ts';
import { alpnFact, serverNameFact, TcpTargets } from './targets.ts';
import { TcpTunnel } from './tunnel.ts';

/** What a host may be told of a client. */
export interface Introduced {
  readonly wire: Wire;
  readonly destination: string;
  readonly proxyFacts: ProxyFacts;
}

/** What all connections of one tcp-proxy share. */
export class TcpProxyFilter implements NetworkFilter {
  readonly context: NetworkFilterContext;
  readonly slots: TcpSlots;
  readonly idleTimeoutMs: number;
  readonly maxFirstBytes: number;
  readonly firstBytesTimeoutMs: number;
  readonly #config: TcpProxyConfig;
  readonly #targets: TcpTargets;
  readonly #logs: readonly TcpLog[];

  constructor(config: TcpProxyConfig, context: NetworkFilterContext) {
    this.context = context;
    this.slots = tcpSlots(context.metrics, context.owner);
    this.idleTimeoutMs = config.idleTimeoutMs;
    this.#config = config;
    // Records may be as small as one byte each: their heads come on top.
    this.maxFirstBytes = 2 * config.maxHelloBytes;
    this.firstBytesTimeoutMs = config.helloTimeoutMs;
    this.#targets = new TcpTargets(config, context.random);
    this.#logs = config.accessLog.map((each) => new TcpLog(each.path, context));
  }

  /** Where routes look into the TLS hello, it has to be there first. Bytes that are no hello have no name. */
  admit(connection: ArrivingConnection): Admission {
    if (!this.#targets.needsHello) return Admission.pass;
    const { buf, start, end } = connection;
    const hello = parseClientHello(buf, start, end, this.#config.maxHelloBytes);
    if (hello === 'more' && !connection.isFinal) return Admission.more;
    if (typeof hello === 'object') {
      connection.addFact(serverNameFact, hello.serverName);
      connection.addFact(alpnFact, hello.alpn.join(','));
    }
    return Admission.pass;
  }

  serve(connection: ArrivingConnection, owner: ServerOwner): ServerConnection {
    const { context } = this;
    const name = this.#targets.choose(connection);
    const cluster = name === null ? null : context.cluster(name);
    const { wire, destination } = connection;
    const { maxConnectAttempts } = this.#config;
    const dialling = cluster === null ? null : new Dialling(context, cluster, maxConnectAttempts, wire.peer);
    const proxyFacts = {
      authority: connection.facts?.get(serverNameFact) ?? wire.peer.serverName ?? '',
      alpn: connection.facts?.get('proxy.alpn') ?? '',
    };
    const tunnel = new TcpTunnel(this, owner, dialling, { wire, destination, proxyFacts });
    if (name === null) {
      const values = context.metrics.values;
      values[this.slots.noRoute] = (values[this.slots.noRoute] as number) + 1;
    }
    tunnel.begin(name === null ? Code.noRoute : Code.noCluster);
    return tunnel;
  }

  /** What a host is told before the client's first byte. */
  introduce(up: Wire, client: Introduced, version: DialledCluster['proxyProtocol']): void {
    if (version === null) return;
    const destination = parseAddress(client.destination);
    const { address, port } =
      destination?.kind === 'tcp'
        ? { address: destination.host, port: destination.port }
        : { address: 'unix', port: 0 };
    const header = encodeProxyHeader(version, client.wire.peer, { address, port }, client.proxyFacts);
    up.write(header, 0, header.length);
  }

  log(record: TcpRecord): void {
    for (const each of this.#logs) each.write(record);
  }
}
