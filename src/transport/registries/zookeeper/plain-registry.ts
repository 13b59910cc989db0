import * as v from 'valibot';
import { Backoff } from '../../../core/base/backoff.ts';
import type { Timer } from '../../../core/base/clock.ts';
import { HeddleError, messageOf } from '../../../core/base/errors.ts';
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
import { before, type ZooKeeperConfig } from './config.ts';
import { connectZooKeeper, registryName, type ZooKeeperConnected } from './connect.ts';
import type { Publisher } from './layouts/publisher.ts';
import { WatchedDirectory } from './watched/directory.ts';

const directoryOptions = { withData: true, maxDataBytes: 64 * 1024 };
const retry = { baseMs: 500, maxMs: 30_000 };

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
  readonly #published = new Map<string, PlainPublication>();

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
    if (!isName(service) || !checked.success || endpoint.address.includes('/')) {
      throw new HeddleError('ERR_REGISTRY_PUBLISH', `${service} at ${endpoint.address}`);
    }
    const path = `${this.#folder(service)}/${endpoint.address}`;
    const data = Buffer.from(JSON.stringify(endpoint), 'utf8');
    const before = this.#published.get(path);
    if (before?.isOver === false) {
      if (before.data.equals(data)) return before;
      before.replace();
    }
    const made = new PlainPublication(path, data, this.#connected.publisher, this.#context, this.#health);
    this.#published.set(path, made);
    void made.ready.catch(() => {});
    return made;
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
    for (const each of this.#published.values()) each.replace();
    // The end of the session takes the nodes with it.
    await this.#connected.close();
  }

  #folder(service: string): string {
    return `${before(this.#config.root ?? '/heddle')}/${service}`;
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
  return service !== '' && service.length <= 512 && !/[/\0]/.test(service) && !/^\.{1,2}$/.test(service);
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

/** One node that is put, and put back, until it is withdrawn. */
class PlainPublication implements Published {
  readonly ready: Promise<void>;
  readonly data: Buffer;
  readonly #path: string;
  readonly #publisher: Publisher;
  readonly #context: RegistryContext;
  readonly #health: RegistryHealth;
  readonly #backoff: Backoff;
  readonly #resolve: () => void;
  readonly #reject: (error: HeddleError) => void;
  readonly #unwatch: () => void;
  #timer: Timer | null = null;
  isOver = false;
  #withdrawn: Promise<void> | null = null;

  constructor(
    path: string,
    data: Buffer,
    publisher: Publisher,
    context: RegistryContext,
    health: RegistryHealth,
  ) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.data = data;
    this.#path = path;
    this.#publisher = publisher;
    this.#context = context;
    this.#health = health;
    this.#backoff = new Backoff(retry, context.random);
    this.#unwatch = publisher.onLost(() => void this.#put());
    void this.#put();
  }

  withdraw(): Promise<void> {
    this.#withdrawn ??= this.#takeBack();
    return this.#withdrawn;
  }

  /** Another one stands for the same node now, or the session ends. */
  replace(): void {
    this.isOver = true;
    this.#timer?.cancel();
    this.#unwatch();
    this.#health.forget(this.#path);
    this.#reject(new HeddleError('ERR_REGISTRY_CLOSED', `${this.#path} was withdrawn`));
  }

  async #takeBack(): Promise<void> {
    if (this.isOver) return;
    this.replace();
    await this.#publisher.remove(this.#path).catch(() => {});
  }

  async #put(): Promise<void> {
    this.#timer?.cancel();
    if (this.isOver) return;
    try {
      await this.#publisher.putEphemeral(this.#path, this.data);
      // It was withdrawn meanwhile.
      if (this.isOver) return;
      this.#backoff.reset();
      this.#health.well(this.#path);
      this.#resolve();
    } catch (thrown) {
      if (this.isOver) return;
      this.#health.trouble(this.#path, messageOf(thrown), true);
      this.#timer = this.#context.clock.setTimer(this.#backoff.nextMs(), () => void this.#put());
    }
  }
}
