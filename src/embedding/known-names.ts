import type { VirtualHostConfig } from '../core/contract/config.ts';
import { HostTable } from '../core/route/host-table.ts';

/**
 * Which authorities belong to the mesh: with virtual hosts of in-process calls their domains, else the names of the
 * clusters. A catch-all ("*", "*:80") is no name: it would make every host of the internet one of ours.
 */
export class KnownNames {
  readonly #domains: HostTable | null;
  readonly #hasCluster: (name: string) => boolean;

  constructor(virtualHosts: readonly VirtualHostConfig[], hasCluster: (name: string) => boolean) {
    const domains = virtualHosts.map((host) => host.domains.filter((domain) => !/^\*(:\d+)?$/.test(domain)));
    this.#domains = virtualHosts.length === 0 ? null : new HostTable(domains);
    this.#hasCluster = hasCluster;
  }

  /** @param authority "host" or "host:port", in lower case; 10 to 20 ns */
  has(authority: string): boolean {
    if (this.#domains !== null) return this.#domains.find(authority) >= 0;
    if (this.#hasCluster(authority)) return true;
    const colon = authority.lastIndexOf(':');
    return colon > 0 && this.#hasCluster(authority.slice(0, colon));
  }
}
