import type { Endpoint } from '../contract/cluster.ts';
import { sameEndpoint } from '../contract/endpoint.ts';
import type { RegistryDelta } from '../contract/registry.ts';
import { ClusterHost, type HostOwner } from './host.ts';
import type { HostList } from './host-list.ts';

/** Told of what a delta did. */
export interface MembershipObserver {
  onAdded(host: ClusterHost): void;
  /** Called once the host is out of the list. */
  onRemoved(host: ClusterHost): void;
  onDuplicate(address: string): void;
}

/** Applies what discovery says to the list of hosts. A host keeps its object as long as its address stays. */
export class Membership {
  readonly #list: HostList;
  readonly #owner: HostOwner;
  readonly #observer: MembershipObserver;

  constructor(list: HostList, owner: HostOwner, observer: MembershipObserver) {
    this.#list = list;
    this.#owner = owner;
    this.#observer = observer;
  }

  apply(delta: RegistryDelta, nowMs: number): void {
    if (delta.full) {
      this.#replace(delta, nowMs);
      return;
    }
    for (const address of delta.removed) this.#remove(address);
    this.#upsertAll(delta.added, nowMs);
    this.#upsertAll(delta.changed, nowMs);
  }

  #replace(delta: RegistryDelta, nowMs: number): void {
    const kept = new Set<string>();
    for (const endpoint of delta.added) kept.add(endpoint.address);
    for (const endpoint of delta.changed) kept.add(endpoint.address);
    for (const host of [...this.#list.hosts]) {
      if (!kept.has(host.address)) this.#remove(host.address);
    }
    this.#upsertAll(delta.added, nowMs);
    this.#upsertAll(delta.changed, nowMs);
  }

  /** An address that stands twice in one list counts once, as it was said last. */
  #upsertAll(endpoints: readonly Endpoint[], nowMs: number): void {
    if (endpoints.length > 1) {
      const seen = new Set<string>();
      for (const { address } of endpoints) {
        if (seen.has(address)) this.#observer.onDuplicate(address);
        seen.add(address);
      }
    }
    for (const endpoint of endpoints) this.#upsert(endpoint, nowMs);
  }

  #upsert(endpoint: Endpoint, nowMs: number): void {
    const host = this.#list.get(endpoint.address);
    if (host !== undefined) {
      if (sameEndpoint(host, endpoint)) return;
      host.change(endpoint);
      this.#list.refresh(host);
      return;
    }
    const added = new ClusterHost(this.#owner, endpoint, nowMs);
    this.#list.add(added);
    this.#observer.onAdded(added);
  }

  #remove(address: string): void {
    const host = this.#list.get(address);
    if (host === undefined) return;
    this.#list.remove(host);
    this.#observer.onRemoved(host);
    host.remove();
  }
}
