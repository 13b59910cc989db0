import * as v from 'valibot';
import { HeddleError } from '../../../core/base/errors.ts';
import type { Endpoint } from '../../../core/contract/cluster.ts';
import type { Publication, RegistryContext } from '../../../core/contract/registry.ts';
import type { Health } from '../../../core/contract/state.ts';
import { endpointSchema } from '../../../core/discovery/endpoint-schema.ts';
import { ServiceFeed } from '../../../core/discovery/service-feed.ts';
import type { KeptPublication } from '../kept-publication.ts';
import { emptyList, PlainRegistry, type PlainService, type Putting } from '../plain-registry.ts';
import { under, type ZooKeeperConfig } from './config.ts';
import { connectZooKeeper, registryName, type ZooKeeperConnected } from './connect.ts';
import { WatchedDirectory } from './watched/directory.ts';

const directoryOptions = { withData: true, maxDataBytes: 64 * 1024 };

/** `/heddle/<service>/<address>`: ephemeral nodes with an endpoint as JSON. For who has no framework's layout to keep. */
export class PlainZooKeeperRegistry extends PlainRegistry {
  readonly #config: ZooKeeperConfig;
  readonly #connected: ZooKeeperConnected;

  constructor(config: ZooKeeperConfig, context: RegistryContext) {
    super(registryName, context);
    this.#config = config;
    this.#connected = connectZooKeeper(config, context);
  }

  protected putting({ service, endpoint }: Publication): Putting {
    const checked = v.safeParse(endpointSchema, endpoint);
    if (!isName(service) || !checked.success) {
      throw new HeddleError('ERR_REGISTRY_PUBLISH', `${service} at ${endpoint.address}`);
    }
    const { publisher } = this.#connected;
    const path = `${this.#folder(service)}/${nodeName(endpoint.address)}`;
    const facts = JSON.stringify(endpoint);
    return {
      what: path,
      facts,
      put: () => publisher.putEphemeral(path, Buffer.from(facts, 'utf8')),
      remove: () => publisher.remove(path),
      onLost: (listener) => publisher.onLost(listener),
    };
  }

  protected serverHealth(): Health {
    return this.#connected.health();
  }

  /** The end of the session takes the nodes with it. */
  protected async leave(publications: readonly KeptPublication[]): Promise<void> {
    for (const publication of publications) publication.replace();
    await this.#connected.close();
  }

  #folder(service: string): string {
    return `${under(this.#config.root ?? '/heddle')}/${nodeName(service)}`;
  }

  protected open(service: string): PlainService {
    if (!isName(service)) {
      throw new HeddleError('ERR_OPTION_INVALID', `service ${JSON.stringify(service)} cannot name a folder`);
    }
    const { clock, logger } = this.context;
    const onRefused = (): void => this.troubles.trouble(service, emptyList, true);
    const feed = new ServiceFeed(service, clock, logger, { allowEmpty: this.#config.allowEmpty, onRefused });
    const well = (): void => this.troubles.well(service);
    const listener = new EndpointListener(feed, well, (reason) =>
      this.troubles.trouble(service, reason, feed.hasList),
    );
    const directory = new WatchedDirectory(
      this.#connected.client,
      this.#folder(service),
      directoryOptions,
      listener,
    );
    directory.start();
    const stop = (): void => {
      directory.stop();
      feed.close();
    };
    return { feed, stop };
  }
}

/** Service names become folders. */
function isName(service: string): boolean {
  return service !== '' && service.length <= 512 && !service.includes('\0') && !/^\.{1,2}$/.test(service);
}

/** A name without slashes: "%2F" stands for one. */
function nodeName(text: string): string {
  return text.replace(/[%/]/g, encodeURIComponent);
}

class EndpointListener {
  readonly #feed: ServiceFeed;
  readonly #well: () => void;
  readonly onTrouble: (reason: string) => void;
  readonly #addresses = new Map<string, string>();

  constructor(feed: ServiceFeed, well: () => void, onTrouble: (reason: string) => void) {
    this.#feed = feed;
    this.#well = well;
    this.onTrouble = onTrouble;
  }

  onList(entries: ReadonlyMap<string, Buffer>): void {
    this.#well();
    this.#addresses.clear();
    const list: Endpoint[] = [];
    for (const [name, data] of entries) {
      const endpoint = this.#read(name, data);
      if (endpoint !== null) list.push(endpoint);
    }
    if (!this.#feed.publish(list)) this.onTrouble(emptyList);
  }

  onChange(name: string, data: Buffer | null): void {
    const before = this.#addresses.get(name);
    const endpoint = data === null ? null : this.#read(name, data);
    if (data === null) this.#addresses.delete(name);
    if (endpoint !== null) this.#well();
    const isGone =
      before !== undefined && (data === null || (endpoint !== null && endpoint.address !== before));
    this.#feed.apply({ put: endpoint === null ? [] : [endpoint], removed: isGone ? [before] : [] });
  }

  #read(name: string, data: Buffer): Endpoint | null {
    let given: unknown;
    try {
      given = JSON.parse(data.toString('utf8'));
    } catch {
      given = null;
    }
    const checked = v.safeParse(endpointSchema, given);
    if (!checked.success) {
      this.onTrouble(`${name} is no endpoint`);
      return null;
    }
    this.#addresses.set(name, checked.output.address);
    return checked.output;
  }
}
