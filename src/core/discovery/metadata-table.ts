import type { Endpoint } from '../contract/cluster.ts';

type Metadata = Endpoint['metadata'];

/** Different metadata kept; when there are more, sharing begins anew. */
const maxEntries = 4096;
const none: Metadata = Object.freeze({});

/**
 * Gives endpoints with equal metadata one object: thousands of hosts share a few dozen combinations, and every list that
 * arrives brings them all again. Saves about 300 bytes a host for five keys, and comparing becomes a look at two pointers.
 */
export class MetadataTable {
  readonly #byText = new Map<string, Metadata>();

  get size(): number {
    return this.#byText.size;
  }

  share(endpoint: Endpoint): Endpoint {
    const metadata = this.#shared(endpoint.metadata);
    return metadata === endpoint.metadata ? endpoint : { ...endpoint, metadata };
  }

  #shared(metadata: Metadata): Metadata {
    const keys = Object.keys(metadata);
    if (keys.length === 0) return none;
    // JSON keeps apart what a separator could join.
    const text = JSON.stringify(keys.sort().map((key) => [key, metadata[key]]));
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    if (this.#byText.size >= maxEntries) this.#byText.clear();
    this.#byText.set(text, metadata);
    return metadata;
  }
}
