import type { ZooKeeperClient } from '../client/client.ts';
import { CreateMode, isZkError, ZkCode } from '../wire/protocol.ts';
import type { Acl } from '../wire/records.ts';

/** Others may write the same text at the same time; Dubbo tries as often. */
const maxAttempts = 10;
/** A put waits so long for a connection before it is said to fail. */
const connectWaitMs = 5000;

/** Nodes that this process keeps at the server. Each call makes one thing so, or rejects. */
export class Publisher {
  readonly #client: ZooKeeperClient;
  readonly #acl: readonly Acl[];
  /** Taken back while there was no connection: the session that keeps them may go on. */
  readonly #leftovers = new Set<string>();
  readonly #stop: () => void;

  constructor(client: ZooKeeperClient, acl: readonly Acl[]) {
    this.#client = client;
    this.#acl = acl;
    this.#stop = client.session.listen({
      onConnected: () => {
        for (const path of this.#leftovers) void this.remove(path).catch(() => {});
      },
      onDisconnected: () => {},
    });
  }

  stop(): void {
    this.#stop();
  }

  /** Calls back when a new session has begun: the nodes of the one before are gone or will go. */
  onLost(listener: () => void): () => void {
    return this.#client.session.listen({
      onConnected: (isNew) => {
        if (isNew) listener();
      },
      onDisconnected: () => {},
    });
  }

  /** A node that goes with our session. One that an earlier session left behind there is replaced. */
  async putEphemeral(path: string, data: Buffer): Promise<void> {
    await this.#connected();
    this.#leftovers.delete(path);
    if (await this.#create(path, data, CreateMode.ephemeral)) return;
    const { data: known, stat } = await this.#client.read(path).catch(noNodeAsNone);
    if (stat === null) return this.putEphemeral(path, data);
    if (stat.ephemeralOwner === this.#client.session.token.id) {
      if (!known.equals(data)) await this.#client.set(path, data, stat.version);
      return;
    }
    await this.#delete(path);
    if (!(await this.#create(path, data, CreateMode.ephemeral))) {
      throw new Error(`${path} is put there by somebody else, too`);
    }
  }

  async putPersistent(path: string, data: Buffer): Promise<void> {
    await this.#connected();
    if (await this.#create(path, data, CreateMode.persistent)) return;
    const { data: known, stat } = await this.#client.read(path).catch(noNodeAsNone);
    if (stat === null || !known.equals(data)) await this.#client.set(path, data, -1);
  }

  /** Changes the text of a persistent node as often as it takes, if others change it too. @param change null: nothing to do */
  async edit(path: string, change: (text: string) => string | null): Promise<void> {
    await this.#connected();
    for (let attempt = 1; ; attempt++) {
      const { data, stat } = await this.#client.read(path).catch(noNodeAsNone);
      const text = change(data.toString('utf8'));
      if (text === null) return;
      try {
        if (stat !== null) return await this.#client.set(path, Buffer.from(text, 'utf8'), stat.version);
        if (await this.#create(path, Buffer.from(text, 'utf8'), CreateMode.persistent)) return;
      } catch (thrown) {
        if (!isZkError(thrown, ZkCode.badVersion)) throw thrown;
      }
      if (attempt === maxAttempts) throw new Error(`${path} changes all the time`);
    }
  }

  async remove(path: string): Promise<void> {
    this.#leftovers.add(path);
    await this.#delete(path);
    this.#leftovers.delete(path);
  }

  /** At once where there is a connection, or with the next one. Rejects with the reason why there is none. */
  #connected(): Promise<void> {
    const { session } = this.#client;
    if (session.connection !== null) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        timer.cancel();
        unlisten();
        settle();
      };
      const timer = session.clock.setTimer(connectWaitMs, () =>
        end(() => reject(new Error(session.reason === '' ? 'no connection yet' : session.reason))),
      );
      const unlisten = session.listen({ onConnected: () => end(resolve), onDisconnected: () => {} });
    });
  }

  /** @returns false when there is such a node */
  async #create(path: string, data: Buffer, mode: CreateMode): Promise<boolean> {
    const create = (): Promise<boolean> =>
      this.#client.create(path, data, mode, this.#acl).then(
        () => true,
        (thrown: unknown) => {
          if (isZkError(thrown, ZkCode.nodeExists)) return false;
          throw thrown;
        },
      );
    try {
      return await create();
    } catch (thrown) {
      if (!isZkError(thrown, ZkCode.noNode)) throw thrown;
    }
    await this.#client.createParents(path, this.#acl);
    return create();
  }

  async #delete(path: string): Promise<void> {
    try {
      await this.#client.delete(path);
    } catch (thrown) {
      if (!isZkError(thrown, ZkCode.noNode)) throw thrown;
    }
  }
}

function noNodeAsNone(thrown: unknown): { data: Buffer; stat: null } {
  if (isZkError(thrown, ZkCode.noNode)) return { data: Buffer.alloc(0), stat: null };
  throw thrown;
}
