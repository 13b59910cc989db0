import { messageOf } from '../../../../core/base/errors.ts';
import type {
  ApplicationMetadata,
  MetadataSource,
  ServiceInstance,
} from '../../../../core/contract/service-source.ts';
import { instanceKeys } from '../../../../core/discovery/dubbo/instance.ts';
import { parseMetadataInfo } from '../../../../core/discovery/dubbo/metadata-info.ts';
import type { MetadataServices } from '../../metadata-service/index.ts';
import type { ZooKeeperClient } from '../client/client.ts';
import { isZkError, ZkCode } from '../wire/protocol.ts';
import type { DubboPaths } from './dubbo-paths.ts';

/** Instances that are asked before it is put off. */
const maxAsked = 3;

/**
 * Metadata by revision: from the metadata centre where instances say `remote` (where Java writes, then where Go does),
 * else from the instances themselves. Where one way has nothing the other is tried: applications change their ways.
 */
export class DubboMetadata implements MetadataSource {
  readonly #client: ZooKeeperClient;
  readonly #paths: DubboPaths;
  readonly #services: MetadataServices;

  constructor(client: ZooKeeperClient, paths: DubboPaths, services: MetadataServices) {
    this.#client = client;
    this.#paths = paths;
    this.#services = services;
  }

  async fetch(
    application: string,
    revision: string,
    instances: readonly ServiceInstance[],
  ): Promise<ApplicationMetadata | null> {
    const isRemote = instances.some((each) => each.metadata[instanceKeys.storageType] === 'remote');
    const problems: string[] = [];
    const ways = [
      () => this.#fromCentre(application, revision),
      () => this.#fromInstances(revision, instances, problems),
    ];
    for (const way of isRemote ? ways : ways.reverse()) {
      const found = await way().catch((thrown: unknown) => void problems.push(messageOf(thrown)));
      if (found) return found;
    }
    if (problems.length > 0) throw new Error(problems.join('; '));
    return null;
  }

  async #fromCentre(application: string, revision: string): Promise<ApplicationMetadata | null> {
    // Revisions come from strangers and become a path here.
    if (revision.includes('/')) return null;
    for (const path of this.#paths.metadata(application, revision)) {
      const text = await this.#textOf(path);
      if (text === null) continue;
      const parsed = parseMetadataInfo(text);
      if (typeof parsed !== 'string') return parsed;
      throw new Error(`${path}: ${parsed}`);
    }
    return null;
  }

  async #fromInstances(
    revision: string,
    instances: readonly ServiceInstance[],
    problems: string[],
  ): Promise<ApplicationMetadata | null> {
    const asked = instances.filter((each) => each.metadata[instanceKeys.metadataService] !== undefined);
    for (const instance of asked.slice(0, maxAsked)) {
      try {
        return await this.#services.fetch(instance, revision);
      } catch (thrown) {
        problems.push(messageOf(thrown));
      }
    }
    return null;
  }

  async #textOf(path: string): Promise<string | null> {
    try {
      return (await this.#client.read(path)).data.toString('utf8');
    } catch (thrown) {
      if (isZkError(thrown, ZkCode.noNode)) return null;
      throw thrown;
    }
  }
}
