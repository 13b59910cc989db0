import * as v from 'valibot';
import { HeddleError } from '../../../core/base/errors.ts';
import type { Endpoint } from '../../../core/contract/cluster.ts';
import type {
  Publication,
  Published,
  Registry,
  RegistryContext,
  RegistryDelta,
} from '../../../core/contract/registry.ts';
import type { Health } from '../../../core/contract/state.ts';
import { endpointSchema } from '../../../core/discovery/endpoint-schema.ts';
import { RegistryHealth } from '../../../core/discovery/registry-health.ts';
import { ServiceFeed } from '../../../core/discovery/service-feed.ts';
import { type Keeping, KeptPublication } from '../kept-publication.ts';
import { under, type ZooKeeperConfig } from './config.ts';
import { connectZooKeeper, registryName, type ZooKeeperConnected } from './connect.ts';
import { WatchedDirectory } from './watched/directory.ts';

const directoryOptions = { withData: true, maxDataBytes: 64 * 1024 };

interface Kept {
  readonly text: string;
  readonly publication: KeptPublication;
}

interface Service {
  readonly feed: ServiceFeed;
  readonly directory: WatchedDirectory;
}

/** `/heddle/<service>/<address>`: ephemeral nodes with an endpoint as JSON. For who has no framework's layout to keep. */
export class PlainRegistry implements Registry {
  readonly #context: RegistryContext;
  readonly #config: ZooKeeperConfig;
  readonly #connected: ZooKeeperConnected;
  readonly #health: RegistryHealth;
  readonly #services = new Map<string, Service>();
  readonly #published = new Map<string, Kept>();

  constructor(config: ZooKeeperConfig, context: RegistryContext) {
    this.#config = config;
    this.#context = context;
    this.#connected = connectZooKeeper(config, context);
    this.#health = new RegistryHealth(registryName, context.clock, context.logger, context.metrics);
  }

  /** @throws HeddleError ERR_OPTION_INVALID */
  subscribe(service: string, onDelta: (delta: RegistryDelta) => void): () => void {
    const known = this.#services.get(service) ?? this.#open(service);
    const unsubscribe = known.feed.subscribe(onDelta);
    return () => {
      unsubscribe();
      if (known.feed.listenerCount > 0 || this.#services.get(service) !== known) return;
      this.#services.delete(service);
      known.directory.stop();
      known.feed.close();
      this.#health.forget(service);
    };
  }

  publish(publication: Publication): Published {
    const { service, endpoint } = publication;
    const checked = v.safeParse(endpointSchema, endpoint);
    if (!isName(service) || !checked.success) {
      throw new HeddleError('ERR_REGISTRY_PUBLISH', `${service} at ${endpoint.address}`);
    }
    const path = `${this.#folder(service)}/${nodeName(endpoint.address)}`;
    const text = JSON.stringify(endpoint);
    const before = this.#published.get(path);
    if (before?.publication.isOver === false) {
      if (before.text === text) return before.publication;
      before.publication.replace();
    }
    const kept = new KeptPublication(this.#keeping(path, text), this.#context, this.#health);
    this.#published.set(path, { text, publication: kept });
    return kept;
  }

  troubleOf(service: string): string {
    return this.#health.reasonOf(service);
  }

  health(): Health {
    const own = this.#health.toHealth();
    const server = this.#connected.health();
    if (server.status === 'ok' || own.status === 'failed') return own;
    const hasAll = [...this.#services.values()].every(({ feed }) => feed.hasList);
    return hasAll && this.#services.size > 0 ? { ...server, status: 'degraded' } : server;
  }

  async close(): Promise<void> {
    for (const { feed, directory } of this.#services.values()) {
      directory.stop();
      feed.close();
    }
    this.#services.clear();
    for (const { publication } of this.#published.values()) publication.replace();
    // The end of the session takes the nodes with it.
    await this.#connected.close();
  }

  #keeping(path: string, text: string): Keeping {
    const { publisher } = this.#connected;
    const isTaken = (): boolean => this.#published.get(path)?.publication.isOver === false;
    return {
      what: path,
      put: () => publisher.putEphemeral(path, Buffer.from(text, 'utf8')),
      remove: () => {
        if (!isTaken()) this.#published.delete(path);
        return publisher.remove(path);
      },
      isTaken,
      onLost: (listener) => publisher.onLost(listener),
    };
  }

  #folder(service: string): string {
    return `${under(this.#config.root ?? '/heddle')}/${nodeName(service)}`;
  }

  #open(service: string): Service {
    if (!isName(service)) {
      throw new HeddleError('ERR_OPTION_INVALID', `service ${JSON.stringify(service)} cannot name a folder`);
    }
    const { clock, logger } = this.#context;
    const onRefused = (): void =>
      this.#health.trouble(service, 'the list is empty; allowEmpty would take that', true);
    const feed = new ServiceFeed(service, clock, logger, { allowEmpty: this.#config.allowEmpty, onRefused });
    const well = (): void => this.#health.well(service);
    const listener = new EndpointListener(feed, well, (reason) =>
      this.#health.trouble(service, reason, feed.hasList),
    );
    const directory = new WatchedDirectory(
      this.#connected.client,
      this.#folder(service),
      directoryOptions,
      listener,
    );
    const made = { feed, directory };
    this.#services.set(service, made);
    directory.start();
    return made;
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
    if (!this.#feed.publish(list)) this.onTrouble('the list is empty; allowEmpty would take that');
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
