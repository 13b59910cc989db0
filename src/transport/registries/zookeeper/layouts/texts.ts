import type { MappingSource, RuleSource, SourceWatcher } from '../../../../core/contract/service-source.ts';
import type { ZooKeeperClient } from '../client/client.ts';
import { parentOf } from '../client/watch-table.ts';
import { type NodeListener, WatchedNode } from '../watched/node.ts';

/** Applications of one interface; more are a mistake of somebody. */
const maxApplications = 10_000;

function watchText(
  client: ZooKeeperClient,
  path: string,
  watcher: SourceWatcher<string>,
  itemsOf: (text: string) => string[],
  watchedFrom?: string,
): () => void {
  const listener: NodeListener = {
    onData: (data) =>
      watcher.change({ full: true, put: data === null ? [] : itemsOf(data.toString('utf8')), removed: [] }),
    onTrouble: (reason) => watcher.trouble(reason),
  };
  const node = new WatchedNode(client, path, listener, watchedFrom);
  node.start();
  return () => node.stop();
}

/**
 * `/dubbo/mapping/<interface>`: the names of its applications, separated by commas. The folder is watched once for all
 * interfaces (3.6+): it changes seldom, and a mesh that uses 20 interfaces has one watch there and not 20.
 */
export class MappingTexts implements MappingSource {
  readonly #client: ZooKeeperClient;
  readonly #pathOf: (interfaceName: string) => string;

  constructor(client: ZooKeeperClient, pathOf: (interfaceName: string) => string) {
    this.#client = client;
    this.#pathOf = pathOf;
  }

  watch(interfaceName: string, watcher: SourceWatcher<string>): () => void {
    const path = this.#pathOf(interfaceName);
    return watchText(this.#client, path, watcher, namesOf, parentOf(path));
  }
}

/** One node a rule: YAML, read by whoever watches. */
export class RuleTexts implements RuleSource {
  readonly #client: ZooKeeperClient;
  readonly #pathOf: (application: string) => string;

  constructor(client: ZooKeeperClient, pathOf: (application: string) => string) {
    this.#client = client;
    this.#pathOf = pathOf;
  }

  watch(application: string, watcher: SourceWatcher<string>): () => void {
    return watchText(this.#client, this.#pathOf(application), watcher, (text) =>
      text.trim() === '' ? [] : [text],
    );
  }
}

export function namesOf(text: string): string[] {
  const names = text.split(',').map((each) => each.trim());
  return [...new Set(names.filter((each) => each !== ''))].slice(0, maxApplications);
}
