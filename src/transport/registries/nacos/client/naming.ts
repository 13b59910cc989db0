import { Backoff } from '../../../../core/base/backoff.ts';
import type { Timer } from '../../../../core/base/clock.ts';
import { messageOf } from '../../../../core/base/errors.ts';
import type { RegistryContext } from '../../../../core/contract/registry.ts';
import type {
  NacosInstance,
  ServerRequest,
  ServiceInfo,
  ServiceListResponse,
  ServiceResponse,
} from '../wire/messages.ts';
import type { NacosSession } from './session.ts';

export interface ServiceWatcher {
  /** The whole list; what is unhealthy or disabled is in it. */
  onList(hosts: readonly NacosInstance[]): void;
  /** It cannot be had now; it is tried again. */
  onTrouble(reason: string): void;
}

interface Watched {
  readonly group: string;
  readonly service: string;
  readonly watchers: Set<ServiceWatcher>;
  readonly backoff: Backoff;
  hosts: readonly NacosInstance[] | null;
  retry: Timer | null;
  /** Grows with every subscription: an answer to an earlier one is late. */
  turn: number;
}

const retry = { baseMs: 1000, maxMs: 30_000 };
const pageSize = 500;
const maxListed = 100_000;
const separator = '@@';

/** Subscriptions to services, said again on every connection; and what services there are. */
export class Naming {
  readonly #session: NacosSession;
  readonly #context: Pick<RegistryContext, 'clock' | 'random'>;
  readonly #namespace: string;
  readonly #watched = new Map<string, Watched>();
  readonly #stop: () => void;

  constructor(session: NacosSession, namespace: string, context: Pick<RegistryContext, 'clock' | 'random'>) {
    this.#session = session;
    this.#namespace = namespace;
    this.#context = context;
    this.#stop = session.listen({
      onConnected: () => {
        for (const each of this.#watched.values()) void this.#subscribe(each);
      },
      onDisconnected: (reason) => {
        for (const { watchers } of this.#watched.values())
          for (const each of watchers) each.onTrouble(reason);
      },
      onPush: (type, request) => this.#push(type, request),
    });
  }

  /** Calls back on later turns with the list and every change of it. */
  watch(group: string, service: string, watcher: ServiceWatcher): () => void {
    const key = `${group}${separator}${service}`;
    let watched = this.#watched.get(key);
    if (watched === undefined) {
      const backoff = new Backoff(retry, this.#context.random);
      watched = { group, service, watchers: new Set(), backoff, hosts: null, retry: null, turn: 0 };
      this.#watched.set(key, watched);
      void this.#subscribe(watched);
    }
    const joined = watched;
    joined.watchers.add(watcher);
    if (joined.hosts !== null) {
      queueMicrotask(() => {
        if (joined.watchers.has(watcher) && joined.hosts !== null) watcher.onList(joined.hosts);
      });
    }
    return () => {
      joined.watchers.delete(watcher);
      if (joined.watchers.size > 0 || this.#watched.get(key) !== joined) return;
      this.#watched.delete(key);
      joined.retry?.cancel();
      void this.#ask(joined, false).catch(() => {});
    };
  }

  /** Names of all services of a group. */
  async list(group: string): Promise<string[]> {
    const names: string[] = [];
    for (let pageNo = 1; names.length < maxListed; pageNo++) {
      const body = { namespace: this.#namespace, groupName: group, pageNo, pageSize, module: 'naming' };
      const page = await this.#session.request<ServiceListResponse>('ServiceListRequest', body);
      const found = page.serviceNames ?? [];
      for (const name of found) names.push(name.slice(name.indexOf(separator) + 1).replace(/^@/, ''));
      if (found.length === 0 || names.length >= (page.count ?? 0)) break;
    }
    return names;
  }

  stop(): void {
    this.#stop();
    for (const each of this.#watched.values()) each.retry?.cancel();
    this.#watched.clear();
  }

  async #subscribe(watched: Watched): Promise<void> {
    watched.retry?.cancel();
    if (!this.#session.isConnected) return;
    const turn = ++watched.turn;
    try {
      const { serviceInfo } = await this.#ask(watched, true);
      if (turn !== watched.turn) return;
      watched.backoff.reset();
      this.#take(watched, serviceInfo);
    } catch (thrown) {
      if (turn !== watched.turn || watched.watchers.size === 0) return;
      for (const each of watched.watchers) each.onTrouble(messageOf(thrown));
      const { clock } = this.#context;
      watched.retry = clock.setTimer(watched.backoff.nextMs(), () => void this.#subscribe(watched));
    }
  }

  #ask({ group, service }: Watched, isWanted: boolean): Promise<ServiceResponse> {
    return this.#session.request<ServiceResponse>('SubscribeServiceRequest', {
      namespace: this.#namespace,
      groupName: group,
      serviceName: service,
      // Of all clusters: who wants some of them only chooses himself.
      clusters: '',
      subscribe: isWanted,
      module: 'naming',
    });
  }

  #push(type: string, { serviceInfo }: ServerRequest): boolean {
    if (type !== 'NotifySubscriberRequest') return false;
    const key = keyOf(serviceInfo);
    const watched = key === null ? undefined : this.#watched.get(key);
    // A push that overtakes the answer to the subscription is newer than it.
    if (watched !== undefined) {
      watched.turn++;
      watched.retry?.cancel();
      this.#take(watched, serviceInfo);
    }
    return true;
  }

  #take(watched: Watched, info: ServiceInfo | undefined): void {
    const hosts = Array.isArray(info?.hosts) ? info.hosts.filter(isInstance) : [];
    watched.hosts = hosts;
    for (const each of [...watched.watchers]) each.onList(hosts);
  }
}

/** Servers write the group into the name, or beside it, or both. */
function keyOf(info: ServiceInfo | undefined): string | null {
  const { name, groupName } = info ?? {};
  if (typeof name !== 'string' || name === '') return null;
  return name.includes(separator) ? name : `${groupName ?? ''}${separator}${name}`;
}

function isInstance(given: unknown): given is NacosInstance {
  const { ip, port } = (given ?? {}) as Partial<NacosInstance>;
  return (
    typeof ip === 'string' &&
    ip !== '' &&
    Number.isInteger(port) &&
    (port as number) > 0 &&
    (port as number) < 65_536
  );
}
