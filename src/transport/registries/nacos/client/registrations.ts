import type { NacosInstance } from '../wire/messages.ts';
import type { NacosSession } from './session.ts';

interface Own {
  readonly group: string;
  readonly service: string;
  readonly instances: Map<string, NacosInstance>;
  /** What the server has been told on the present connection; "" = nothing. */
  told: string;
  /** Requests about one service go one after the other. */
  last: Promise<unknown>;
}

/**
 * Instances of this process. They live as long as the connection, and the server keeps one entry for each connection and
 * service: more than one instance of a service goes as a batch, which replaces what was there.
 */
export class Registrations {
  readonly #session: NacosSession;
  readonly #namespace: string;
  readonly #own = new Map<string, Own>();
  readonly #lost = new Set<() => void>();
  readonly #stop: () => void;

  constructor(session: NacosSession, namespace: string) {
    this.#session = session;
    this.#namespace = namespace;
    this.#stop = session.listen({
      onConnected: () => {
        for (const own of this.#own.values()) own.told = '';
        for (const listener of [...this.#lost]) listener();
      },
    });
  }

  /** Calls back when a connection is there that has none of them. */
  onLost(listener: () => void): () => void {
    this.#lost.add(listener);
    return () => void this.#lost.delete(listener);
  }

  /** All that was put for this service goes along, so that after a loss the first call brings everything back. */
  async put(group: string, service: string, instance: NacosInstance): Promise<void> {
    const key = `${group}@@${service}`;
    const own = this.#own.get(key) ?? {
      group,
      service,
      instances: new Map(),
      told: '',
      last: Promise.resolve(),
    };
    this.#own.set(key, own);
    own.instances.set(addressOf(instance), instance);
    await this.#sync(own);
  }

  async remove(group: string, service: string, instance: NacosInstance): Promise<void> {
    const key = `${group}@@${service}`;
    const own = this.#own.get(key);
    if (own === undefined) return;
    own.instances.delete(addressOf(instance));
    await this.#sync(own, instance);
    if (own.instances.size === 0 && this.#own.get(key) === own) this.#own.delete(key);
  }

  stop(): void {
    this.#stop();
    this.#lost.clear();
  }

  #sync(own: Own, gone?: NacosInstance): Promise<void> {
    const next = own.last.then(async () => {
      const instances = [...own.instances.values()];
      const text = JSON.stringify(instances);
      if (own.told === text || (own.told === '' && instances.length === 0 && !this.#session.isConnected))
        return;
      await this.#say(own, instances, gone);
      own.told = text;
    });
    own.last = next.catch(() => undefined);
    return next;
  }

  async #say(
    { group, service }: Own,
    instances: readonly NacosInstance[],
    gone?: NacosInstance,
  ): Promise<void> {
    const place = { namespace: this.#namespace, groupName: group, serviceName: service, module: 'naming' };
    const [first = gone] = instances;
    if (instances.length > 1) {
      const body = { ...place, type: 'batchRegisterInstance', instances };
      await this.#session.request('BatchInstanceRequest', body);
    } else if (first !== undefined) {
      const type = instances.length === 0 ? 'deregisterInstance' : 'registerInstance';
      await this.#session.request('InstanceRequest', { ...place, type, instance: first });
    }
  }
}

const addressOf = ({ ip, port }: NacosInstance): string => `${ip}:${port}`;
