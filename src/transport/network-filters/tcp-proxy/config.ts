import * as v from 'valibot';
import { parseIpBlock } from '../../../core/base/ip-address.ts';
import { parsePortRange } from '../ports.ts';
import { isNamePattern } from './name-match.ts';

const name = v.pipe(v.string(), v.minLength(1, 'the name of a cluster'));
const weight = v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000_000)), 1);
const milliseconds = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2_147_483_647));
const list = (is: (text: string) => boolean, what: string) =>
  v.optional(v.array(v.pipe(v.string(), v.check(is, what))), []);
const blocks = list((text) => parseIpBlock(text) !== null, 'an IP address or a block such as 10.0.0.0/8');
const ports = list((text) => parsePortRange(text) !== null, 'a port, 443, or a range, 7000-7010, as text');

/** All that are given must hold; within a list one is enough. */
const match = v.strictObject({
  /** Address blocks of the client (any). */
  sources: blocks,
  /** Ports of the client (any). */
  sourcePorts: ports,
  /** Address blocks that the client asked for (any). */
  destinations: blocks,
  /** Ports that the client asked for (any). */
  destinationPorts: ports,
  /** Names of the TLS hello: "a.example", "*.example" (any name below it) or "*" (any hello with a name). */
  serverNames: list(isNamePattern, '"a.example", "*.example" or "*"'),
  /** Protocols of which the TLS hello offers one: "h2", "http/1.1" (any). */
  alpn: list((text) => text.length > 0 && text.length < 256, 'a protocol name of 1 to 255 characters'),
});

const weighted = v.array(v.strictObject({ cluster: name, weight }));
const target = {
  /** Where the bytes go. */
  cluster: v.optional(name),
  /** Or one of several clusters by weight. */
  weightedClusters: v.optional(weighted),
};

const route = v.pipe(
  v.strictObject({ match: v.optional(match, {}), ...target }),
  v.check(
    (given) => hasOneTarget(given),
    'exactly one of cluster and weightedClusters, whose weights add up to 1 or more',
  ),
);

export const tcpProxyConfig = v.pipe(
  v.strictObject({
    /** The first that matches; without a match the target below, or the connection is closed (none). */
    routes: v.optional(v.array(route), []),
    ...target,
    /** No byte in either direction for this long closes both ends; 0 = off (3600000). */
    idleTimeoutMs: v.optional(milliseconds, 3_600_000),
    /** Hosts tried until one is reached, each of them once (3). */
    maxConnectAttempts: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)), 3),
    /** How long the TLS hello may take, where a route looks into it (10000). */
    helloTimeoutMs: v.optional(v.pipe(milliseconds, v.minValue(1)), 10_000),
    /** Longest TLS hello, likewise (16384). */
    maxHelloBytes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(512), v.maxValue(65_536)), 16_384),
    /** Where a line for each finished connection goes: stdout, stderr or an absolute path (none). */
    accessLog: v.optional(v.array(v.strictObject({ path: v.pipe(v.string(), v.minLength(1)) })), []),
  }),
  v.check(
    (given) =>
      (given.routes.length > 0 && given.cluster === undefined && given.weightedClusters === undefined) ||
      hasOneTarget(given),
    'a target: exactly one of cluster and weightedClusters, or routes alone',
  ),
);
export type TcpProxyConfig = v.InferOutput<typeof tcpProxyConfig>;
export type TcpTargetConfig = Pick<TcpProxyConfig, 'cluster' | 'weightedClusters'>;
export type TcpMatchConfig = TcpProxyConfig['routes'][number]['match'];

interface TargetChoice {
  readonly cluster?: string | undefined;
  readonly weightedClusters?: readonly { readonly weight: number }[] | undefined;
}

function hasOneTarget(given: TargetChoice): boolean {
  if (given.weightedClusters === undefined) return given.cluster !== undefined;
  return given.cluster === undefined && given.weightedClusters.some((each) => each.weight > 0);
}

/** Names of all clusters that it may send to. */
export function clustersOf(config: TcpProxyConfig): string[] {
  return [config, ...config.routes].flatMap((each) => [
    ...(each.cluster === undefined ? [] : [each.cluster]),
    ...(each.weightedClusters ?? []).map((share) => share.cluster),
  ]);
}
