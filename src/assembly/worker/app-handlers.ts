import type { HostUpstream, UpstreamFactory } from '../../core/contract/cluster.ts';

/** Keys travel in 16 bits. */
const maxHandlers = 65_535;

/** Clusters that code of the application's thread serves, by name and by the key that crosses the link. */
export class AppHandlers {
  readonly #upstreams: Map<number, HostUpstream>;
  readonly #keys = new Map<string, number>();

  /** @param upstreams by key: filled here, read where streams arrive */
  constructor(upstreams: Map<number, HostUpstream>) {
    this.#upstreams = upstreams;
  }

  get names(): Iterable<readonly [cluster: string, key: number]> {
    return this.#keys;
  }

  has(cluster: string): boolean {
    return this.#keys.has(cluster);
  }

  keyOf(cluster: string): number {
    let key = this.#keys.get(cluster);
    if (key === undefined) {
      if (this.#keys.size >= maxHandlers) throw new RangeError(`more than ${maxHandlers} handlers`);
      key = this.#keys.size + 1;
      this.#keys.set(cluster, key);
    }
    return key;
  }

  /** Takes the place of the handler before, which finishes what it has begun. Returns the key. */
  put(cluster: string, create: UpstreamFactory): number {
    const key = this.keyOf(cluster);
    this.#upstreams.get(key)?.drain();
    // Its host and permits are the worker's.
    this.#upstreams.set(key, (create as () => HostUpstream)());
    return key;
  }
}
