import type { ServiceInstance } from '../../../../core/contract/service-source.ts';
import { encodeJava } from '../../../../core/discovery/dubbo/java-encoding.ts';

/** Folders of Dubbo's layout; each "" or "/a/b". */
export interface DubboRoots {
  /** Providers by interface, metadata and mapping ("/dubbo"). */
  readonly root: string;
  /** Instances by application ("/services"). */
  readonly instances: string;
  /** Metadata and mapping ("/dubbo"). */
  readonly metadata: string;
  /** The configuration centre ("/dubbo/config"). */
  readonly config: string;
}

const migrationGroup = 'DUBBO_SERVICEDISCOVERY_MIGRATION';

/** Where things lie for Dubbo 2 and 3 (ZookeeperRegistry, ZookeeperServiceDiscovery, ZookeeperMetadataReport). */
export class DubboPaths {
  readonly #roots: DubboRoots;

  constructor(roots: DubboRoots) {
    this.#roots = roots;
  }

  providers(interfaceName: string): string {
    return `${this.#roots.root}/${encodeJava(interfaceName)}/providers`;
  }

  provider(interfaceName: string, url: string): string {
    return `${this.providers(interfaceName)}/${encodeJava(url)}`;
  }

  get instances(): string {
    return this.#roots.instances;
  }

  instance({ application, address }: ServiceInstance): string {
    return `${this.#roots.instances}/${application}/${address}`;
  }

  mapping(interfaceName: string): string {
    return `${this.#roots.metadata}/mapping/${interfaceName}`;
  }

  /** Dubbo for Java puts it at the first, Dubbo for Go at the second. */
  metadata(application: string, revision: string): readonly [string, string] {
    const { metadata } = this.#roots;
    return [`${metadata}/metadata/${application}/${revision}`, `${metadata}/${application}/${revision}`];
  }

  migrationRule(application: string): string {
    return `${this.#roots.config}/${migrationGroup}/${application}.migration`;
  }
}
