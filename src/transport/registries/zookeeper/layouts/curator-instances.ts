import type { Logger } from '../../../../core/contract/logger.ts';
import type {
  InstanceSource,
  ServiceInstance,
  SourceWatcher,
} from '../../../../core/contract/service-source.ts';
import { parseCuratorInstance } from '../../../../core/discovery/dubbo/instance.ts';
import type { ZooKeeperClient } from '../client/client.ts';
import { type DirectoryListener, WatchedDirectory } from '../watched/directory.ts';

/** Real ones have about a kilobyte. */
const options = { withData: true, maxDataBytes: 64 * 1024 };

/**
 * `/services/<application>/<id>`: instances as Curator's X-Discovery writes them. Dubbo names a node by its address,
 * Spring Cloud by a random id: a process that came back may stand there twice for a while.
 */
export class CuratorInstances implements InstanceSource {
  readonly #client: ZooKeeperClient;
  readonly #root: string;
  readonly #logger: Logger;

  /** @param root "" or "/services" */
  constructor(client: ZooKeeperClient, root: string, logger: Logger) {
    this.#client = client;
    this.#root = root;
    this.#logger = logger;
  }

  watch(application: string, watcher: SourceWatcher<ServiceInstance>): () => void {
    const path = `${this.#root}/${application}`;
    const listener = new InstanceListener(path, watcher, this.#logger);
    const directory = new WatchedDirectory(this.#client, path, options, listener);
    directory.start();
    return () => directory.stop();
  }
}

class InstanceListener implements DirectoryListener {
  readonly #path: string;
  readonly #watcher: SourceWatcher<ServiceInstance>;
  readonly #logger: Logger;
  readonly #byName = new Map<string, ServiceInstance>();
  #lastProblem = '';

  constructor(path: string, watcher: SourceWatcher<ServiceInstance>, logger: Logger) {
    this.#path = path;
    this.#watcher = watcher;
    this.#logger = logger;
  }

  onList(entries: ReadonlyMap<string, Buffer>): void {
    this.#byName.clear();
    for (const [name, data] of entries) this.#read(name, data);
    this.#watcher.change({ full: true, put: [...this.#byName.values()], removed: [] });
  }

  onChange(name: string, data: Buffer | null): void {
    const before = this.#byName.get(name);
    const after = data === null ? undefined : this.#read(name, data);
    if (data === null) this.#byName.delete(name);
    const put = after === undefined ? [] : [after];
    const removed: string[] = [];
    if (before !== undefined && before.address !== after?.address) {
      // Another node may say that the same address is still there.
      const other = [...this.#byName.values()].findLast((each) => each.address === before.address);
      if (other === undefined) removed.push(before.address);
      else put.push(other);
    }
    if (put.length + removed.length > 0) this.#watcher.change({ full: false, put, removed });
  }

  onTrouble(reason: string): void {
    this.#watcher.trouble(reason);
  }

  /** What cannot be read counts as what it said before, if it said anything. */
  #read(name: string, data: Buffer): ServiceInstance | undefined {
    const parsed = parseCuratorInstance(data.toString('utf8'));
    if (typeof parsed !== 'string') {
      this.#byName.set(name, parsed);
      return parsed;
    }
    if (parsed !== this.#lastProblem) {
      this.#lastProblem = parsed;
      this.#logger.warn('instance passed over', { path: `${this.#path}/${name}`, reason: parsed });
    }
    return this.#byName.get(name);
  }
}
