import type { Clock } from '../../../../core/base/clock.ts';
import type {
  ApplicationMetadata,
  PublishTarget,
  ServiceInstance,
} from '../../../../core/contract/service-source.ts';
import { formatCuratorInstance } from '../../../../core/discovery/dubbo/instance.ts';
import { formatMetadataInfo } from '../../../../core/discovery/dubbo/metadata-info.ts';
import type { DubboPaths } from './dubbo-paths.ts';
import type { Publisher } from './publisher.ts';
import { namesOf } from './texts.ts';

const nothing: Buffer = Buffer.alloc(0);

/** Where Dubbo 2 and 3 look: providers by interface, instances by application, their metadata, the mapping. */
export class DubboTarget implements PublishTarget {
  readonly #publisher: Publisher;
  readonly #paths: DubboPaths;
  readonly #clock: Clock;

  constructor(publisher: Publisher, paths: DubboPaths, clock: Clock) {
    this.#publisher = publisher;
    this.#paths = paths;
    this.#clock = clock;
  }

  async putInstance(instance: ServiceInstance): Promise<void> {
    const text = formatCuratorInstance(instance, Math.round(this.#clock.wallNow()));
    await this.#publisher.putEphemeral(this.#paths.instance(instance), Buffer.from(text, 'utf8'));
  }

  removeInstance(instance: ServiceInstance): Promise<void> {
    return this.#publisher.remove(this.#paths.instance(instance));
  }

  /** Where Java looks and where Go looks. */
  async putMetadata(metadata: ApplicationMetadata): Promise<void> {
    const data = Buffer.from(formatMetadataInfo(metadata), 'utf8');
    for (const path of this.#paths.metadata(metadata.application, metadata.revision)) {
      await this.#publisher.putPersistent(path, data);
    }
  }

  putMapping(interfaceName: string, application: string): Promise<void> {
    return this.#publisher.edit(this.#paths.mapping(interfaceName), (text) => {
      const names = namesOf(text);
      return names.includes(application) ? null : [...names, application].join(',');
    });
  }

  putProvider(interfaceName: string, url: string): Promise<void> {
    return this.#publisher.putEphemeral(this.#paths.provider(interfaceName, url), nothing);
  }

  removeProvider(interfaceName: string, url: string): Promise<void> {
    return this.#publisher.remove(this.#paths.provider(interfaceName, url));
  }

  onLost(listener: () => void): () => void {
    return this.#publisher.onLost(listener);
  }
}
