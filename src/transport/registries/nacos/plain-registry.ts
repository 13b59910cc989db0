import { HeddleError } from '../../../core/base/errors.ts';
import type {
  Publication,
  Published,
  Registry,
  RegistryContext,
  RegistryDelta,
} from '../../../core/contract/registry.ts';
import type { Health } from '../../../core/contract/state.ts';
import { FactsTable } from '../../../core/discovery/facts-table.ts';
import { RegistryHealth } from '../../../core/discovery/registry-health.ts';
import { ServiceFeed } from '../../../core/discovery/service-feed.ts';
import { KeptPublication } from '../kept-publication.ts';
import { type NacosConfig, usualPlace } from './config.ts';
import { connectNacos, type NacosConnected, registryName } from './connect.ts';
import { endpointsOf, instanceOfEndpoint } from './layouts/instances.ts';
import type { NacosInstance } from './wire/messages.ts';

interface Service {
  readonly feed: ServiceFeed;
  stop(): void;
}

interface Kept {
  readonly text: string;
  readonly publication: KeptPublication;
}

/** A close waits no longer for a server that does not answer. */
const lastTryMs = 3000;
const isEmpty = 'the list is empty; allowEmpty would take that';

/**
 * One Nacos service a service, as Spring Cloud and most others use it. A name may say its group: "GROUP@@name".
 */
export class PlainNacosRegistry implements Registry {
  readonly #context: RegistryContext;
  readonly #config: NacosConfig;
  readonly #connected: NacosConnected;
  readonly #health: RegistryHealth;
  readonly #facts = new FactsTable();
  readonly #services = new Map<string, Service>();
  readonly #published = new Map<string, Kept>();

  constructor(config: NacosConfig, context: RegistryContext) {
    this.#config = config;
    this.#context = context;
    this.#connected = connectNacos(config, context);
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
      known.stop();
    };
  }

  publish({ service, endpoint, protocol = '' }: Publication): Published {
    const place = this.#placeOf(service);
    const instance = instanceOfEndpoint(endpoint, protocol, usualPlace(this.#config).cluster);
    if (place === null || instance === null) {
      throw new HeddleError('ERR_REGISTRY_PUBLISH', `${service} at ${endpoint.address}`);
    }
    const key = JSON.stringify([service, endpoint.address]);
    const text = JSON.stringify(instance);
    const before = this.#published.get(key);
    if (before?.publication.isOver === false) {
      if (before.text === text) return before.publication;
      before.publication.replace();
    }
    const { registrations } = this.#connected;
    const keeping = {
      what: `${service} at ${endpoint.address}`,
      put: () => registrations.put(place.group, place.name, instance),
      remove: () => registrations.remove(place.group, place.name, instance),
      onLost: (listener: () => void) => registrations.onLost(listener),
    };
    const publication = new KeptPublication(keeping, this.#context, this.#health);
    this.#published.set(key, { text, publication });
    return publication;
  }

  health(): Health {
    const own = this.#health.toHealth();
    const server = this.#connected.health();
    if (server.status === 'ok' || own.status === 'failed') return own;
    const hasAll = [...this.#services.values()].every(({ feed }) => feed.hasList);
    return hasAll && this.#services.size + this.#published.size > 0
      ? { ...server, status: 'degraded' }
      : server;
  }

  async close(): Promise<void> {
    for (const service of this.#services.values()) service.stop();
    this.#services.clear();
    const all = [...this.#published.values()].map(({ publication }) => publication.withdraw());
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = this.#context.clock.setTimer(lastTryMs, resolve);
    await Promise.race([Promise.all(all), late]);
    timer.cancel();
    await this.#connected.close();
  }

  #open(service: string): Service {
    const place = this.#placeOf(service);
    if (place === null) {
      throw new HeddleError(
        'ERR_OPTION_INVALID',
        `service ${JSON.stringify(service)} cannot be a name in Nacos`,
      );
    }
    const { clock, logger } = this.#context;
    const feed = new ServiceFeed(service, clock, logger, {
      allowEmpty: this.#config.allowEmpty,
      facts: this.#facts,
      onRefused: () => this.#health.trouble(service, isEmpty, true),
    });
    const unwatch = this.#connected.naming.watch(place.group, place.name, {
      onList: (hosts) => this.#take(feed, hosts),
      onTrouble: (reason) => this.#health.trouble(service, reason, feed.hasList),
    });
    const stop = (): void => {
      unwatch();
      feed.close();
      this.#health.forget(service);
    };
    const made = { feed, stop };
    this.#services.set(service, made);
    return made;
  }

  #take(feed: ServiceFeed, hosts: readonly NacosInstance[]): void {
    const { endpoints, unreadable } = endpointsOf(hosts, this.#config.clusters);
    if (!feed.publish(endpoints)) this.#health.trouble(feed.service, isEmpty, true);
    else if (unreadable > 0)
      this.#health.trouble(feed.service, `${unreadable} instances cannot be read`, true);
    else this.#health.well(feed.service);
  }

  #placeOf(service: string): { readonly group: string; readonly name: string } | null {
    const at = service.indexOf('@@');
    const group = at < 0 ? this.#config.group : service.slice(0, at);
    const name = at < 0 ? service : service.slice(at + 2);
    const isName = /^[^\s@]{1,512}$/.test(name) && /^[\w.:-]{1,128}$/.test(group);
    return isName ? { group, name } : null;
  }
}
