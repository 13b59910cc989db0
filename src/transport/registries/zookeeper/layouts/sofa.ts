import type { PublishTarget } from '../../../../core/contract/service-source.ts';
import { encodeJava } from '../../../../core/discovery/dubbo/java-encoding.ts';
import type { Publisher } from './publisher.ts';

/** What SOFARPC writes into the node of a provider that is in service (ZookeeperRegistry.PROVIDER_ONLINE). */
const online = Buffer.from([1]);

/** `/sofa-rpc/<interface>/providers`. @param root "" or "/a" */
export function sofaProviders(root: string, interfaceName: string): string {
  return `${root}/sofa-rpc/${interfaceName}/providers`;
}

/** Where SOFARPC's consumers look. It knows the interface level only. */
export class SofaTarget implements PublishTarget {
  readonly #publisher: Publisher;
  readonly #root: string;

  constructor(publisher: Publisher, root: string) {
    this.#publisher = publisher;
    this.#root = root;
  }

  putProvider(interfaceName: string, url: string): Promise<void> {
    return this.#publisher.putEphemeral(this.#pathOf(interfaceName, url), online);
  }

  removeProvider(interfaceName: string, url: string): Promise<void> {
    return this.#publisher.remove(this.#pathOf(interfaceName, url));
  }

  onLost(listener: () => void): () => void {
    return this.#publisher.onLost(listener);
  }

  async putInstance(): Promise<void> {}
  async removeInstance(): Promise<void> {}
  async putMetadata(): Promise<void> {}
  async putMapping(): Promise<void> {}

  #pathOf(interfaceName: string, url: string): string {
    return `${sofaProviders(this.#root, interfaceName)}/${encodeJava(url)}`;
  }
}
