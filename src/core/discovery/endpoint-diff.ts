import type { Endpoint } from '../contract/cluster.ts';
import { sameEndpoint } from '../contract/endpoint.ts';

export interface EndpointDiff {
  readonly added: readonly Endpoint[];
  /** Addresses. */
  readonly removed: readonly string[];
  readonly changed: readonly Endpoint[];
}

/** What leads from one list to the next; null when nothing does. */
export function diffEndpoints(
  before: ReadonlyMap<string, Endpoint>,
  after: ReadonlyMap<string, Endpoint>,
): EndpointDiff | null {
  const added: Endpoint[] = [];
  const changed: Endpoint[] = [];
  const removed: string[] = [];
  for (const [address, endpoint] of after) {
    const known = before.get(address);
    if (known === undefined) added.push(endpoint);
    else if (!sameEndpoint(known, endpoint)) changed.push(endpoint);
  }
  for (const address of before.keys()) if (!after.has(address)) removed.push(address);
  return added.length + changed.length + removed.length === 0 ? null : { added, removed, changed };
}

/** By address; an address that stands twice counts as it was said last and is reported. */
export function indexEndpoints(
  list: readonly Endpoint[],
  onDuplicate: (address: string) => void,
): Map<string, Endpoint> {
  const byAddress = new Map<string, Endpoint>();
  for (const endpoint of list) {
    if (byAddress.has(endpoint.address)) onDuplicate(endpoint.address);
    byAddress.set(endpoint.address, endpoint);
  }
  return byAddress;
}
