import { messageOf } from '../base/errors.ts';
import type {
  Publication,
  Published,
  Registry,
  RegistryContext,
  RegistryDelta,
} from '../contract/registry.ts';
import type { Health } from '../contract/state.ts';
import { Debounce } from './debounce.ts';
import { FactsTable } from './facts-table.ts';
import { HostTable } from './host-table.ts';
import { parseServiceFile } from './service-file.ts';

/** A change is on disk at the latest this long after it. */
const saveDebounce = { quietMs: 1000, maxMs: 10_000 };
/** Lists name hosts of the inside: the owner's eyes only. */
const fileMode = 0o600;

/**
 * Remembers on disk what a registry said last, and says it after a restart until the registry answers itself: a mesh that
 * starts while the registry is down serves. The file is a service file as the `file` registry reads it.
 */
export class LastGoodRegistry implements Registry {
  /** As the registry behind does, where it does. */
  readonly publish?: (publication: Publication) => Published;
  readonly #inner: Registry;
  readonly #path: string;
  readonly #context: RegistryContext;
  readonly #lists = new Map<string, HostTable>();
  readonly #facts = new FactsTable();
  /** Services whose list still comes from the disk. */
  readonly #fromDisk = new Set<string>();
  readonly #save: Debounce;
  readonly #loaded: Promise<void>;
  #isClosed = false;
  #writing: Promise<void> = Promise.resolve();

  /** @param path a file of this registry's own; its directory must exist */
  constructor(inner: Registry, path: string, context: RegistryContext) {
    this.#inner = inner;
    if (inner.publish !== undefined) this.publish = inner.publish.bind(inner);
    this.#path = path;
    this.#context = context;
    this.#save = new Debounce(context.clock, saveDebounce, () => this.#write());
    this.#loaded = this.#load();
  }

  subscribe(service: string, onDelta: (delta: RegistryDelta) => void): () => void {
    let isLive = false;
    let isOver = false;
    let version = 0;
    const tell = (delta: RegistryDelta): void => onDelta({ ...delta, version: ++version });
    const unsubscribe = this.#inner.subscribe(service, (delta) => {
      isLive = true;
      this.#follow(delta);
      tell(delta);
    });
    void this.#loaded.then(() => {
      const list = this.#lists.get(service);
      if (isLive || isOver || this.#isClosed || list === undefined) return;
      this.#fromDisk.add(service);
      tell({ service, version: 0, full: true, added: [...list], removed: [], changed: [] });
    });
    return () => {
      isOver = true;
      unsubscribe();
    };
  }

  troubleOf(service: string): string {
    const reason = this.#inner.troubleOf?.(service) ?? this.#inner.health().reason;
    if (!this.#fromDisk.has(service)) return reason;
    return `the list comes from ${this.#path}${reason === '' ? '' : `: ${reason}`}`;
  }

  health(): Health {
    const inner = this.#inner.health();
    const [service] = this.#fromDisk;
    if (service === undefined) return inner;
    const more = this.#fromDisk.size - 1;
    const which = `${service}${more > 0 ? ` and ${more} more` : ''}`;
    const reason = `the list of ${which} comes from ${this.#path}${inner.reason === '' ? '' : `: ${inner.reason}`}`;
    return { status: 'degraded', reason, sinceMs: inner.sinceMs };
  }

  /** Writes what is not on disk yet. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#save.isPending) {
      this.#save.cancel();
      this.#write();
    }
    await this.#inner.close();
    await this.#writing;
  }

  /** An empty list is not worth remembering. */
  #follow(delta: RegistryDelta): void {
    this.#fromDisk.delete(delta.service);
    const known = delta.full ? undefined : this.#lists.get(delta.service);
    const list = known ?? new HostTable();
    for (const address of delta.removed) list.delete(address);
    for (const endpoint of delta.added) list.put(endpoint.address, this.#facts.share(endpoint));
    for (const endpoint of delta.changed) list.put(endpoint.address, this.#facts.share(endpoint));
    if (list.size === 0) return;
    this.#lists.set(delta.service, list);
    this.#save.call();
  }

  async #load(): Promise<void> {
    let text: string;
    try {
      text = await this.#context.files.readText(this.#path);
    } catch {
      // The first start: there is nothing yet.
      return;
    }
    const file = parseServiceFile(text);
    if (file.problem !== undefined) {
      this.#context.logger.warn('last good list ignored', { path: this.#path, reason: file.problem });
      return;
    }
    for (const [service, endpoints] of file.services) {
      if (this.#lists.has(service) || endpoints.length === 0) continue;
      const list = new HostTable();
      for (const endpoint of endpoints) list.put(endpoint.address, this.#facts.share(endpoint));
      this.#lists.set(service, list);
    }
  }

  #write(): void {
    const services: Record<string, unknown[]> = Object.create(null);
    for (const [service, list] of this.#lists) services[service] = [...list];
    const text = JSON.stringify({ services });
    this.#writing = this.#writing
      .then(() => this.#context.files.writeText(this.#path, text, fileMode))
      .catch((thrown) => {
        const fields = { path: this.#path, reason: messageOf(thrown) };
        this.#context.logger.warn('last good list not saved', fields);
      });
  }
}
