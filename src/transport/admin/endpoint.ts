import type { AdminConfig } from '../../core/contract/config.ts';
import type { AdminServer } from './server.ts';

/** The endpoint of a configuration that is not in force yet; its address is bound. */
export interface PreparedAdmin {
  commit(): Promise<void>;
  abandon(): Promise<void>;
}

/** The admin endpoint of a process whose configuration may change: it moves, begins and ends with `admin.address`. */
export class AdminEndpoint {
  readonly #open: (config: AdminConfig) => Promise<AdminServer>;
  #server: AdminServer | null = null;
  #config: AdminConfig | undefined;

  /** @param open gives a server that listens */
  constructor(open: (config: AdminConfig) => Promise<AdminServer>) {
    this.#open = open;
  }

  /** The address in use; "" when there is none. */
  get address(): string {
    return this.#server?.address ?? '';
  }

  /** @throws HeddleError ERR_LISTENER_ADDRESS, ERR_OPTION_INVALID for an open address without a token */
  async start(config: AdminConfig | undefined): Promise<void> {
    await (await this.prepare(config)).commit();
  }

  /** Binds another address beside the present one; where it stays, so does the server. @throws as `start` */
  async prepare(next: AdminConfig | undefined): Promise<PreparedAdmin> {
    const before = this.#server;
    const isKept = next?.address === this.#config?.address;
    const server = isKept ? before : next === undefined ? null : await this.#open(next);
    const commit = async (): Promise<void> => {
      this.#config = next;
      this.#server = server;
      if (server !== null) server.token = next?.token ?? null;
      if (!isKept) await before?.close();
    };
    const abandon = async (): Promise<void> => {
      if (!isKept) await server?.close();
    };
    return { commit, abandon };
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }
}
