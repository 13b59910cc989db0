import { Code } from '../core/base/codes.ts';
import type { Endpoint, Host, HostSet } from '../core/contract/cluster.ts';

/** A host without connections: `open` answers connectFailure. */
export function fakeHost(address: string, facts: Partial<Endpoint> = {}): Host {
  return {
    address,
    weight: facts.weight ?? 1,
    metadata: facts.metadata ?? {},
    zone: facts.zone ?? '',
    priority: facts.priority ?? 0,
    hostname: facts.hostname ?? '',
    cluster: 'fake',
    active: 0,
    index: 0,
    isUnhealthy: false,
    ejectedUntilMs: 0,
    sinceMs: 0,
    upstream: { open: () => Code.connectFailure, cancelWait: () => {} },
    label: Buffer.from(address, 'latin1'),
    isRemoved: false,
  };
}

/** `count` hosts 10.0.0.1:80, 10.0.0.2:80, ... */
export function fakeHosts(count: number, facts: (i: number) => Partial<Endpoint> = () => ({})): Host[] {
  return Array.from({ length: count }, (_, i) => fakeHost(`10.0.${i >> 8}.${(i & 255) + 1}:80`, facts(i)));
}

/** A host set of which `available` may be chosen (all, unless given). Numbers the hosts. */
export function fakeHostSet(all: readonly Host[], version = 1, available: readonly Host[] = all): HostSet {
  all.forEach((host, i) => {
    host.index = i;
  });
  return { version, all, available, isPanic: false, changes: null };
}
