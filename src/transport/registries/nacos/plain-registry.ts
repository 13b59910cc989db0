import { HeddleError } from '../../../core/base/errors.ts';
import type { Publication, RegistryContext } from '../../../core/contract/registry.ts';
import type { Health } from '../../../core/contract/state.ts';
import { FactsTable } from '../../../core/discovery/facts-table.ts';
import { ServiceFeed } from '../../../core/discovery/service-feed.ts';
import type { KeptPublication } from '../kept-publication.ts';
import { emptyList, PlainRegistry, type PlainService, type Putting } from '../plain-registry.ts';
import { type NacosConfig, usualPlace } from './config.ts';
import { connectNacos, type NacosConnected, registryName } from './connect.ts';
import { endpointsOf, instanceOfEndpoint } from './layouts/instances.ts';
import type { NacosInstance } from './wire/messages.ts';

/** A close waits no longer for a server that does not answer. */
const lastTryMs = 3000;

/**
 * One Nacos service a service, as Spring Cloud and most others use it. A name may say its group: "GROUP@@name".
 */
export class PlainNacosRegistry extends PlainRegistry {
  readonly #config: NacosConfig;
  readonly #connected: NacosConnected;
  readonly #facts = new FactsTable();

  constructor(config: NacosConfig, context: RegistryContext) {
    super(registryName, context);
    this.#config = config;
    this.#connected = connectNacos(config, context);
  }

  protected putting({ service, endpoint, protocol = '' }: Publication): Putting {
    const what = `${service} at ${endpoint.address}`;
    const place = this.#placeOf(service);
    const instance = instanceOfEndpoint(endpoint, protocol, usualPlace(this.#config).cluster);
    if (place === null || instance === null) throw new HeddleError('ERR_REGISTRY_PUBLISH', what);
    const { registrations } = this.#connected;
    return {
      what,
      facts: JSON.stringify(instance),
      put: () => registrations.put(place.group, place.name, instance),
      remove: () => registrations.remove(place.group, place.name, instance),
      onLost: (listener) => registrations.onLost(listener),
    };
  }

  protected serverHealth(): Health {
    return this.#connected.health();
  }

  protected async leave(publications: readonly KeptPublication[]): Promise<void> {
    const all = publications.map((publication) => publication.withdraw());
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = this.context.clock.setTimer(lastTryMs, resolve);
    await Promise.race([Promise.all(all), late]);
    timer.cancel();
    await this.#connected.close();
  }

  protected open(service: string): PlainService {
    const place = this.#placeOf(service);
    if (place === null) {
      throw new HeddleError(
        'ERR_OPTION_INVALID',
        `service ${JSON.stringify(service)} cannot be a name in Nacos`,
      );
    }
    const { clock, logger } = this.context;
    const feed = new ServiceFeed(service, clock, logger, {
      allowEmpty: this.#config.allowEmpty,
      facts: this.#facts,
      onRefused: () => this.troubles.trouble(service, emptyList, true),
    });
    const unwatch = this.#connected.naming.watch(place.group, place.name, {
      onList: (hosts) => this.#take(feed, hosts),
      onTrouble: (reason) => this.troubles.trouble(service, reason, feed.hasList),
    });
    const stop = (): void => {
      unwatch();
      feed.close();
    };
    return { feed, stop };
  }

  #take(feed: ServiceFeed, hosts: readonly NacosInstance[]): void {
    const { endpoints, unreadable } = endpointsOf(hosts, this.#config.clusters);
    if (!feed.publish(endpoints)) this.troubles.trouble(feed.service, emptyList, true);
    else if (unreadable > 0)
      this.troubles.trouble(feed.service, `${unreadable} instances cannot be read`, true);
    else this.troubles.well(feed.service);
  }

  #placeOf(service: string): { readonly group: string; readonly name: string } | null {
    const at = service.indexOf('@@');
    const group = at < 0 ? this.#config.group : service.slice(0, at);
    const name = at < 0 ? service : service.slice(at + 2);
    const isName = /^[^\s@]{1,512}$/.test(name) && /^[\w.:-]{1,128}$/.test(group);
    return isName ? { group, name } : null;
  }
}
