import type { ListView } from '../base/chunked-list.ts';
import { HeddleError } from '../base/errors.ts';
import type { Endpoint } from '../contract/cluster.ts';
import type { CircuitBreakers } from './circuit-breakers.ts';
import type { HostCheck } from './health/active.ts';
import type { Ejections } from './health/ejections.ts';
import type { HostList } from './host-list.ts';

/** What another process needs to go on: plain data. */
export interface ClusterState {
  readonly version: 1;
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  readonly ejections: readonly {
    readonly address: string;
    readonly ejections: number;
    /** 0: it is back, only the count still matters. */
    readonly remainingMs: number;
  }[];
  /** Addresses that failed active health checks. */
  readonly unhealthy: readonly string[];
}

export function dumpCluster(name: string, list: HostList, nowMs: number): ClusterState {
  const hosts = [...list.hosts];
  return {
    version: 1,
    name,
    endpoints: hosts.map((host) => host.toEndpoint()),
    ejections: hosts
      .filter((host) => host.ejections > 0)
      .map((host) => ({
        address: host.address,
        ejections: host.ejections,
        remainingMs: host.ejectedUntilMs === 0 ? 0 : Math.max(0, host.ejectedUntilMs - nowMs),
      })),
    unhealthy: hosts.filter((host) => host.isUnhealthy).map((host) => host.address),
  };
}

/** Puts health and ejections back on hosts that are in the list already: who was healthy need not wait for a check. */
export function restoreHealth(state: ClusterState, list: HostList, ejections: Ejections): void {
  for (const each of state.ejections) {
    const host = list.get(each.address);
    if (host === undefined) continue;
    ejections.restore(host, each.ejections, each.remainingMs);
    list.refresh(host);
  }
  const unhealthy = new Set(state.unhealthy);
  for (const { address } of state.endpoints) {
    const host = list.get(address);
    if (host === undefined || host.isUnhealthy === unhealthy.has(address)) continue;
    host.isUnhealthy = !host.isUnhealthy;
    list.refresh(host);
  }
}

/** @throws HeddleError ERR_OPTION_INVALID when the state is of another version or cluster. */
export function checkClusterState(state: ClusterState, name: string): void {
  if (state.version !== 1) {
    throw new HeddleError(
      'ERR_OPTION_INVALID',
      `state of cluster ${name} has version ${state.version}, not 1`,
    );
  }
  if (state.name !== name) {
    throw new HeddleError(
      'ERR_OPTION_INVALID',
      `state of cluster ${state.name} was given to cluster ${name}`,
    );
  }
}

/** What `/clusters` shows. */
export interface ClusterStats {
  readonly name: string;
  readonly version: number;
  readonly hosts: number;
  readonly available: number;
  readonly ejected: number;
  /** Failed active checks, or wait for their first. */
  readonly unhealthy: number;
  readonly isPanic: boolean;
  readonly connections: number;
  readonly pending: number;
  readonly requests: number;
  readonly retries: number;
  /** At most as many as were asked for, in the order of the list. */
  readonly hostStats: readonly HostStats[];
}

interface HostStats {
  readonly address: string;
  readonly weight: number;
  readonly zone: string;
  readonly priority: number;
  readonly active: number;
  readonly health: 'healthy' | 'unhealthy' | 'ejected';
  /** Until it comes back; 0 when it is not ejected. */
  readonly ejectedForMs: number;
  readonly ejections: number;
  /** What active checks found out; null where there are none. */
  readonly check: CheckStats | null;
}

interface CheckStats {
  /** How the last one ended; `waiting` before the first. */
  readonly last: 'passed' | 'failed' | 'waiting';
  /** Of a failure: "timeout", "status_503", "connect_failure" ... */
  readonly reason: string;
  /** Since the last one ended; -1 before the first. */
  readonly agoMs: number;
  /** In a row. */
  readonly failures: number;
}

/** Call it on a list without unsaved changes. */
export function clusterStats(
  name: string,
  list: HostList,
  breakers: CircuitBreakers,
  ejected: number,
  nowMs: number,
  maxHosts: number,
): ClusterStats {
  const set = list.snapshot();
  return {
    name,
    version: set.version,
    hosts: set.allView.length,
    available: set.availableView.length,
    ejected,
    unhealthy: list.unhealthyCount,
    isPanic: set.isPanic,
    connections: breakers.connections,
    pending: breakers.pending,
    requests: breakers.requests,
    retries: breakers.retries,
    hostStats: firstOf(list.hosts, maxHosts).map((host) => ({
      address: host.address,
      weight: host.weight,
      zone: host.zone,
      priority: host.priority,
      active: host.active,
      health: host.ejectedUntilMs !== 0 ? 'ejected' : host.isUnhealthy ? 'unhealthy' : 'healthy',
      ejectedForMs: host.ejectedUntilMs === 0 ? 0 : Math.max(0, host.ejectedUntilMs - nowMs),
      ejections: host.ejections,
      check: host.check === null ? null : checkStats(host.check, nowMs),
    })),
  };
}

function checkStats(check: HostCheck, nowMs: number): CheckStats {
  const { isFirst, reason, failures, checkedMs } = check;
  const last = isFirst ? 'waiting' : reason === '' ? 'passed' : 'failed';
  return { last, reason, agoMs: isFirst ? -1 : Math.round(nowMs - checkedMs), failures };
}

function firstOf<T>(list: ListView<T>, count: number): T[] {
  return Array.from({ length: Math.min(count, list.length) }, (_, index) => list.get(index));
}
