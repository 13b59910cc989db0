import { Backoff } from '../../../../core/base/backoff.ts';
import type { Timer } from '../../../../core/base/clock.ts';
import { messageOf } from '../../../../core/base/errors.ts';
import type { RegistryContext } from '../../../../core/contract/registry.ts';
import type { InterfaceSource, SourceWatcher } from '../../../../core/contract/service-source.ts';
import { formatProviderUrl } from '../../../../core/discovery/dubbo/provider-url.ts';
import type { Naming } from '../client/naming.ts';
import type { NacosInstance } from '../wire/messages.ts';
import { isServing, textsOf } from './instances.ts';
import {
  dubboServiceName,
  isDubboNameOf,
  isPattern,
  legacyDubboName,
  sofaServiceName,
} from './service-names.ts';

type Asked = Parameters<InterfaceSource['watch']>[2];

export interface ProviderLayout {
  readonly group: string;
  readonly clusters: readonly string[];
  readonly usualProtocol: string;
  /** Services of the server that may hold the providers; null: they must be looked for by `matches`. */
  namesOf(interfaceName: string, asked: Asked): readonly string[] | null;
  matches(name: string, interfaceName: string): boolean;
}

const lookMs = 30_000;
const retry = { baseMs: 1000, maxMs: 30_000 };

export function dubboLayout(group: string, clusters: readonly string[]): ProviderLayout {
  return {
    group,
    clusters,
    usualProtocol: 'dubbo',
    namesOf: (interfaceName, asked) => {
      if (isPattern(asked)) return null;
      const service = { interfaceName, ...asked };
      const legacy = legacyDubboName(service);
      return legacy === null ? [dubboServiceName(service)] : [dubboServiceName(service), legacy];
    },
    matches: isDubboNameOf,
  };
}

/** SOFARPC has no patterns: unique id and protocol stand in the name. */
export function sofaLayout(group: string, clusters: readonly string[]): ProviderLayout {
  return {
    group,
    clusters,
    usualProtocol: 'bolt',
    namesOf: (interfaceName, asked) => [sofaServiceName(interfaceName, asked.group, asked.protocol)],
    matches: () => false,
  };
}

/** Providers of an interface: instances of one or several services of the server, as provider URLs. */
export class ProviderServices implements InterfaceSource {
  readonly #naming: Naming;
  readonly #layout: ProviderLayout;
  readonly #context: Pick<RegistryContext, 'clock' | 'random'>;

  constructor(naming: Naming, layout: ProviderLayout, context: Pick<RegistryContext, 'clock' | 'random'>) {
    this.#naming = naming;
    this.#layout = layout;
    this.#context = context;
  }

  watch(interfaceName: string, watcher: SourceWatcher<string>, asked: Asked): () => void {
    const joined = new JoinedServices(this.#naming, this.#layout, watcher);
    const names = this.#layout.namesOf(interfaceName, asked);
    if (names !== null) {
      joined.follow(names);
      return () => joined.stop();
    }
    const stopLooking = this.#look(interfaceName, joined, watcher);
    return () => {
      stopLooking();
      joined.stop();
    };
  }

  /** Nobody tells that a service has appeared: the list of names is read again now and then. */
  #look(interfaceName: string, joined: JoinedServices, watcher: SourceWatcher<string>): () => void {
    const { clock, random } = this.#context;
    const backoff = new Backoff(retry, random);
    let timer: Timer | null = null;
    let isOver = false;
    const look = async (): Promise<void> => {
      let delayMs = lookMs;
      try {
        const names = await this.#naming.list(this.#layout.group);
        if (isOver) return;
        joined.follow(names.filter((name) => this.#layout.matches(name, interfaceName)));
        backoff.reset();
      } catch (thrown) {
        if (isOver) return;
        watcher.trouble(messageOf(thrown));
        delayMs = backoff.nextMs();
      }
      timer = clock.setTimer(delayMs, () => void look());
    };
    void look();
    return () => {
      isOver = true;
      timer?.cancel();
    };
  }
}

/** Several services as one list: told when all have answered, and with every change. */
class JoinedServices {
  readonly #naming: Naming;
  readonly #layout: ProviderLayout;
  readonly #watcher: SourceWatcher<string>;
  readonly #parts = new Map<string, { urls: readonly string[] | null; stop: () => void }>();

  constructor(naming: Naming, layout: ProviderLayout, watcher: SourceWatcher<string>) {
    this.#naming = naming;
    this.#layout = layout;
    this.#watcher = watcher;
  }

  follow(names: readonly string[]): void {
    for (const [name, { stop }] of this.#parts) {
      if (names.includes(name)) continue;
      stop();
      this.#parts.delete(name);
    }
    for (const name of names) {
      if (this.#parts.has(name)) continue;
      const part = { urls: null as readonly string[] | null, stop: () => {} };
      this.#parts.set(name, part);
      part.stop = this.#naming.watch(this.#layout.group, name, {
        onList: (hosts) => {
          part.urls = this.#urlsOf(hosts);
          this.#tell();
        },
        onTrouble: (reason) => this.#watcher.trouble(reason),
      });
    }
    if (names.length === 0) this.#tell();
  }

  stop(): void {
    for (const { stop } of this.#parts.values()) stop();
    this.#parts.clear();
  }

  #tell(): void {
    const all = [...this.#parts.values()].map(({ urls }) => urls);
    if (all.includes(null)) return;
    this.#watcher.change({ full: true, put: [...new Set(all.flatMap((urls) => urls ?? []))], removed: [] });
  }

  #urlsOf(hosts: readonly NacosInstance[]): string[] {
    const { clusters, usualProtocol } = this.#layout;
    const serving = hosts.filter(
      (host) =>
        isServing(host) && (clusters.length === 0 || clusters.includes(host.clusterName ?? 'DEFAULT')),
    );
    return serving.map((host) => urlOf(host, usualProtocol));
  }
}

/** Dubbo and SOFARPC put the parameters of the URL into the metadata, beside its protocol and path. */
function urlOf({ ip, port, metadata }: NacosInstance, usualProtocol: string): string {
  const { protocol = usualProtocol, path = '', ...parameters } = textsOf(metadata);
  return formatProviderUrl({
    ...{ protocol, username: '', password: '', host: ip, port, path },
    parameters: new Map(Object.entries(parameters)),
  });
}
