import { parseAddress } from '../../../core/base/address.ts';
import { IpBlocks, parseIpAddress } from '../../../core/base/ip-address.ts';
import type { Random } from '../../../core/base/random.ts';
import type { ArrivingConnection } from '../../../core/contract/network-filter.ts';
import { createWeightedPick } from '../../../core/route/weighted.ts';
import { PortRanges } from '../ports.ts';
import type { TcpMatchConfig, TcpProxyConfig, TcpTargetConfig } from './config.ts';
import { NameMatch } from './name-match.ts';

/** Facts that the TLS hello leaves on a connection. */
export const serverNameFact = 'tls.serverName';
/** Joined by ",". */
export const alpnFact = 'tls.alpn';

type Condition = (connection: ArrivingConnection) => boolean;

/** Which cluster a connection goes to. */
export class TcpTargets {
  /** Whether any route looks into the TLS hello. */
  readonly needsHello: boolean;
  readonly #routes: readonly { readonly conditions: readonly Condition[]; readonly pick: () => string }[];
  readonly #fallback: (() => string) | null;

  constructor(config: TcpProxyConfig, random: Random) {
    this.needsHello = config.routes.some(
      ({ match }) => match.serverNames.length > 0 || match.alpn.length > 0,
    );
    this.#routes = config.routes.map((route) => ({
      conditions: conditionsOf(route.match),
      pick: pickOf(route, random),
    }));
    const hasTarget = config.cluster !== undefined || config.weightedClusters !== undefined;
    this.#fallback = hasTarget ? pickOf(config, random) : null;
  }

  /** Name of a cluster; null: no route matches. */
  choose(connection: ArrivingConnection): string | null {
    for (const { conditions, pick } of this.#routes) {
      if (conditions.every((holds) => holds(connection))) return pick();
    }
    return this.#fallback === null ? null : this.#fallback();
  }
}

function pickOf(target: TcpTargetConfig, random: Random): () => string {
  const { cluster, weightedClusters = [] } = target;
  if (cluster !== undefined) return () => cluster;
  const names = weightedClusters.map((each) => each.cluster);
  const weights = weightedClusters.map((each) => each.weight);
  return createWeightedPick(names, weights, random);
}

function conditionsOf(match: TcpMatchConfig): Condition[] {
  const conditions: Condition[] = [];
  if (match.sources.length > 0) {
    const blocks = new IpBlocks(match.sources);
    conditions.push(({ peer }) => isWithin(peer.address, blocks));
  }
  if (match.sourcePorts.length > 0) {
    const ports = new PortRanges(match.sourcePorts);
    conditions.push(({ peer }) => ports.has(peer.port));
  }
  if (match.destinations.length > 0) {
    const blocks = new IpBlocks(match.destinations);
    conditions.push(({ destination }) => isWithin(hostOf(destination), blocks));
  }
  if (match.destinationPorts.length > 0) {
    const ports = new PortRanges(match.destinationPorts);
    conditions.push(({ destination }) => ports.has(portOf(destination)));
  }
  if (match.serverNames.length > 0) {
    const names = new NameMatch(match.serverNames);
    conditions.push(({ facts }) => names.has(facts?.get(serverNameFact) ?? ''));
  }
  if (match.alpn.length > 0) {
    const wanted = new Set(match.alpn);
    conditions.push(({ facts }) => (facts?.get(alpnFact) ?? '').split(',').some((each) => wanted.has(each)));
  }
  return conditions;
}

function isWithin(address: string, blocks: IpBlocks): boolean {
  const bytes = parseIpAddress(address);
  return bytes !== null && blocks.has(bytes);
}

function hostOf(destination: string): string {
  const address = parseAddress(destination);
  return address?.kind === 'tcp' ? address.host : '';
}

function portOf(destination: string): number {
  const address = parseAddress(destination);
  return address?.kind === 'tcp' ? address.port : 0;
}
