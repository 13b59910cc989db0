import type { InterfaceSource, SourceWatcher } from '../../../../core/contract/service-source.ts';
import { decodeJava } from '../../../../core/discovery/dubbo/java-encoding.ts';
import type { ZooKeeperClient } from '../client/client.ts';
import { WatchedDirectory } from '../watched/directory.ts';

/** The names say all: no data are read. */
const options = { withData: false, maxDataBytes: 0 };

/** A folder for each interface with a node for each provider, named by the provider's URL. */
export class ProviderUrls implements InterfaceSource {
  readonly #client: ZooKeeperClient;
  readonly #folderOf: (interfaceName: string) => string;

  constructor(client: ZooKeeperClient, folderOf: (interfaceName: string) => string) {
    this.#client = client;
    this.#folderOf = folderOf;
  }

  watch(interfaceName: string, watcher: SourceWatcher<string>): () => void {
    const directory = new WatchedDirectory(this.#client, this.#folderOf(interfaceName), options, {
      onList: (entries) => {
        const put: string[] = [];
        for (const name of entries.keys()) {
          const url = decodeJava(name);
          if (url !== null) put.push(url);
        }
        watcher.change({ full: true, put, removed: [] });
      },
      onChange: (name, data) => {
        const url = decodeJava(name);
        if (url === null) return;
        watcher.change(
          data === null ? { full: false, put: [], removed: [url] } : { full: false, put: [url], removed: [] },
        );
      },
      onTrouble: (reason) => watcher.trouble(reason),
    });
    directory.start();
    return () => directory.stop();
  }
}
