import type { ZooKeeperClient } from '../client/client.ts';
import { EventType, ZkCode } from '../wire/protocol.ts';
import type { WatchEvent } from '../wire/records.ts';
import { Watched } from './watched.ts';

export interface NodeListener {
  /** After every connect and every change; null: there is no such node. */
  onData(data: Buffer | null): void;
  onTrouble(reason: string): void;
}

/** The data of one node, which may come and go. */
export class WatchedNode extends Watched {
  readonly #listener: NodeListener;

  /** @param watchedFrom a folder above, where one recursive watch does for all nodes in it (the node itself) */
  constructor(client: ZooKeeperClient, path: string, listener: NodeListener, watchedFrom?: string) {
    super(client, path, (reason) => listener.onTrouble(reason), watchedFrom);
    this.#listener = listener;
  }

  protected override read(): void {
    const isOneShot = !this.isRecursive;
    this.client.data(this.path, isOneShot, (error, node) => {
      if (error?.zkCode === ZkCode.noNode) this.#absent(isOneShot);
      else if (this.isFine(error)) this.#listener.onData(node?.data ?? null);
    });
  }

  protected override onEvent({ type, path }: WatchEvent): void {
    if (path === this.path && type !== EventType.childrenChanged) this.read();
  }

  #absent(isOneShot: boolean): void {
    if (this.isStopped) return;
    this.#listener.onData(null);
    if (!isOneShot) return;
    this.client.exists(this.path, true, (error, stat) => {
      if (stat !== null) this.read();
      else if (error?.zkCode !== ZkCode.noNode) this.isFine(error);
    });
  }
}
