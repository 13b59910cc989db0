import { factsOf } from '../../core/base/codes.ts';
import type { LiveCluster } from '../../core/cluster/cluster.ts';
import type { Host } from '../../core/contract/cluster.ts';
import type { Stream } from '../../core/contract/stream.ts';

/** Why a host got the request or not. */
interface HostChoice {
  readonly address: string;
  readonly isChosen: boolean;
  readonly why: string;
}

/** A cluster that the request may go to. */
export interface ClusterExplanation {
  readonly name: string;
  /** 0 to 1. */
  readonly share: number;
  readonly balancer: string;
  /** Metadata that hosts must have; empty: any host. */
  readonly subset: Readonly<Record<string, string>>;
  /** The host of this one request; the next may meet another. Null: none, `failure` says why. */
  readonly host: string | null;
  readonly failure: string | null;
  /** At most 100. */
  readonly hosts: readonly HostChoice[];
  readonly hostCount: number;
  /** Thresholds of the cluster, 0 = none. */
  readonly circuitBreakers: Readonly<Record<string, unknown>>;
}

const maxHosts = 100;

/** Asks the cluster itself for a host and gives it back. */
export function explainCluster(
  cluster: LiveCluster | null,
  name: string,
  share: number,
  s: Stream,
  subset: Readonly<Record<string, string>>,
): ClusterExplanation {
  if (cluster === null) {
    const nothing = { balancer: '', host: null, hosts: [], hostCount: 0, circuitBreakers: {} };
    return { name, share, subset, failure: 'there is no such cluster', ...nothing };
  }
  const chosen = cluster.chooseHost(s);
  const host = typeof chosen === 'number' ? null : chosen;
  if (host !== null) cluster.release(host);
  const { all, available } = cluster.hostSet;
  const usable = new Set(available);
  const { loadBalancer, circuitBreakers } = cluster.settings;
  return {
    name,
    share,
    balancer: loadBalancer.name,
    subset: { ...subset },
    host: host?.address ?? null,
    failure: typeof chosen === 'number' ? factsOf(chosen).name : null,
    hosts: all.slice(0, maxHosts).map((each) => choiceOf(each, host, usable, subset)),
    hostCount: all.length,
    circuitBreakers: { ...circuitBreakers },
  };
}

function choiceOf(
  each: Host,
  chosen: Host | null,
  usable: ReadonlySet<Host>,
  subset: Readonly<Record<string, string>>,
): HostChoice {
  const { address } = each;
  if (each === chosen) return { address, isChosen: true, why: 'the load balancer took it' };
  return { address, isChosen: false, why: whyNot(each, chosen, usable, subset) };
}

function whyNot(
  each: Host,
  chosen: Host | null,
  usable: ReadonlySet<Host>,
  subset: Readonly<Record<string, string>>,
): string {
  if (each.weight === 0) return 'its weight is 0';
  if (!usable.has(each)) {
    if (each.isUnhealthy) return 'its health checks fail';
    return each.ejectedUntilMs > 0 ? 'it is ejected for its answers' : 'it may not be chosen now';
  }
  const key = Object.keys(subset).find((name) => each.metadata[name] !== subset[name]);
  if (key !== undefined)
    return `its ${key} is ${JSON.stringify(each.metadata[key] ?? '')}, not ${JSON.stringify(subset[key])}`;
  if (chosen !== null && each.priority > chosen.priority)
    return `its priority is ${each.priority}, that of a better one is ${chosen.priority}`;
  return 'it may be the turn of this one next time';
}
