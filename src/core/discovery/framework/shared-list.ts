import type { Endpoint } from '../../contract/cluster.ts';

/** Balancers look at no more. */
const maxWeight = 128;

/**
 * One list of two, so that `percent` of the calls go by `first` and the rest by `second`, each by its own weights: a host
 * in both gets its share of each. Exact to about one per cent of a host, with balancers that heed weights.
 */
export function shareCalls(
  first: Iterable<Endpoint>,
  second: Iterable<Endpoint>,
  percent: number,
): Endpoint[] {
  const shares = new Map<string, { endpoint: Endpoint; share: number }>();
  addShares(shares, [...second], 1 - percent / 100);
  addShares(shares, [...first], percent / 100);
  let largest = 0;
  for (const { share } of shares.values()) largest = Math.max(largest, share);
  return [...shares.values()].map(({ endpoint, share }) => ({
    ...endpoint,
    weight: share === 0 ? 0 : Math.max(1, Math.round((share / largest) * maxWeight)),
  }));
}

/** What the later list says of a host counts. */
function addShares(
  shares: Map<string, { endpoint: Endpoint; share: number }>,
  list: readonly Endpoint[],
  part: number,
): void {
  const total = list.reduce((sum, { weight }) => sum + weight, 0);
  for (const endpoint of list) {
    const share = total === 0 ? 0 : (part * endpoint.weight) / total;
    shares.set(endpoint.address, { endpoint, share: share + (shares.get(endpoint.address)?.share ?? 0) });
  }
}
