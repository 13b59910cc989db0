import type { Endpoint } from '../contract/cluster.ts';
import type { HostFacts } from './host-table.ts';

/** Different facts kept; when there are more, sharing begins anew. */
const maxEntries = 4096;

/**
 * Gives hosts that say the same one object: thousands of hosts share a few dozen combinations, and every list that arrives
 * brings them all again. Comparing becomes a look at two pointers.
 */
export class FactsTable {
  readonly #metadata = new Map<string, Endpoint['metadata']>();
  readonly #facts = new Map<Endpoint['metadata'], Map<string, HostFacts>>();

  /** Different metadata that are shared now. */
  get size(): number {
    return this.#metadata.size;
  }

  share(endpoint: HostFacts): HostFacts {
    const { weight, zone, priority, hostname } = endpoint;
    const metadata = this.shareMetadata(endpoint.metadata);
    const rest = `${weight} ${priority} ${zone.length} ${zone} ${hostname}`;
    let byRest = this.#facts.get(metadata);
    if (byRest === undefined) {
      byRest = new Map();
      this.#facts.set(metadata, byRest);
    }
    const known = byRest.get(rest);
    if (known !== undefined) return known;
    if (byRest.size >= maxEntries) byRest.clear();
    const facts: HostFacts = { weight, metadata, zone, priority, hostname };
    byRest.set(rest, facts);
    return facts;
  }

  shareMetadata(metadata: Endpoint['metadata']): Endpoint['metadata'] {
    // The object itself is known when it came from here.
    if (this.#facts.has(metadata)) return metadata;
    // JSON keeps apart what a separator could join.
    const text = JSON.stringify(
      Object.keys(metadata)
        .sort()
        .map((key) => [key, metadata[key]]),
    );
    const known = this.#metadata.get(text);
    if (known !== undefined) return known;
    if (this.#metadata.size >= maxEntries) {
      this.#metadata.clear();
      this.#facts.clear();
    }
    this.#metadata.set(text, metadata);
    return metadata;
  }
}
