import * as v from 'valibot';
import type { NetworkFilterDefinition } from '../../../core/contract/network-filter.ts';
import { createWeightedPick } from '../../../core/route/weighted.ts';
import { UdpSessions } from './sessions.ts';

const integer = (min: number, max: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
const name = v.pipe(v.string(), v.minLength(1, 'the name of a cluster'));
const share = v.strictObject({ cluster: name, weight: v.optional(integer(0, 1_000_000), 1) });

const config = v.pipe(
  v.strictObject({
    /** Where datagrams go. */
    cluster: v.optional(name),
    /** Or one of several clusters by weight, chosen for each session. */
    weightedClusters: v.optional(v.array(share)),
    /** A session without a datagram in either direction ends after this (60000). */
    idleTimeoutMs: v.optional(integer(1, 2_147_483_647), 60_000),
    /** Sessions at once; each has a socket (1024). */
    maxSessions: v.optional(integer(1, 60_000), 1024),
    /** Sessions of one client address; 0 = unlimited (64). */
    maxSessionsPerSource: v.optional(integer(0, 60_000), 64),
    /** Datagrams of one client address within a second, all its sessions together; more are dropped; 0 = unlimited (0). */
    maxDatagramsPerSecond: v.optional(integer(0, 10_000_000), 0),
    /** Where a line for each finished session goes: stdout, stderr or an absolute path (none). */
    accessLog: v.optional(v.array(v.strictObject({ path: v.pipe(v.string(), v.minLength(1)) })), []),
  }),
  v.check(
    ({ cluster, weightedClusters }) =>
      weightedClusters === undefined
        ? cluster !== undefined
        : cluster === undefined && weightedClusters.some((each) => each.weight > 0),
    'exactly one of cluster and weightedClusters, whose weights add up to 1 or more',
  ),
);
export type UdpProxyConfig = v.InferOutput<typeof config>;

/**
 * Passes datagrams on: those of one client address and port form a session, which stays with one host. It makes the
 * listener one of UDP and stands alone on it.
 *
 * @example
 * networkFilters: [{ name: udp-proxy, config: { cluster: dns, idleTimeoutMs: 5000 } }]
 */
export const udpProxy: NetworkFilterDefinition<UdpProxyConfig> = {
  name: 'udp-proxy',
  layer: 'network',
  config,
  isTerminal: true,
  clusters: ({ cluster, weightedClusters = [] }) => [
    ...(cluster === undefined ? [] : [cluster]),
    ...weightedClusters.map((each) => each.cluster),
  ],
  // Connections never meet it: the listener has none.
  create: () => ({}),
  createDatagrams(own, context) {
    const { cluster, weightedClusters = [] } = own;
    if (cluster !== undefined) return new UdpSessions(own, context, () => cluster);
    const names = weightedClusters.map((each) => each.cluster);
    const weights = weightedClusters.map((each) => each.weight);
    return new UdpSessions(own, context, createWeightedPick(names, weights, context.random));
  },
};
