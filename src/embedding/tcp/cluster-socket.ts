import { Duplex } from 'node:stream';
import type { MeshPort } from '../port.ts';

/**
 * A connection to a host of a cluster in the shape of a `net.Socket`, for clients that want one before it is connected:
 * `connect` is called by some (pg), others write at once (mysql2) or wait for 'connect' (ioredis); all three work. Host
 * and port that a client names are the balancer's business and ignored.
 */
export class ClusterSocket extends Duplex {
  connecting = true;
  timeout = 0;
  readonly #connect: () => Promise<Duplex>;
  #stream: Duplex | null = null;
  #begun = false;
  #timer: NodeJS.Timeout | null = null;

  /** @param connect dials; called once */
  constructor(connect: () => Promise<Duplex>) {
    super({ allowHalfOpen: true });
    this.#connect = connect;
    // Who calls `connect` himself does so within the same turn.
    queueMicrotask(() => this.connect());
  }

  connect(...given: unknown[]): this {
    const connected = given.at(-1);
    if (typeof connected === 'function') this.once('connect', connected as () => void);
    if (this.#begun || this.destroyed) return this;
    this.#begun = true;
    this.#connect().then(
      (stream) => this.#connected(stream),
      (error: Error) => this.destroy(error),
    );
    return this;
  }

  #connected(stream: Duplex): void {
    if (this.destroyed) {
      stream.destroy();
      return;
    }
    this.#stream = stream;
    this.connecting = false;
    stream.on('data', (chunk: Buffer) => {
      this.#active();
      if (!this.push(chunk)) stream.pause();
    });
    stream.on('end', () => this.push(null));
    stream.on('error', (error) => this.destroy(error));
    stream.on('close', () => this.destroy());
    this.emit('connect');
    this.emit('ready');
  }

  override _read(): void {
    this.#stream?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#active();
    if (this.#stream !== null) this.#stream.write(chunk, done);
    else this.once('connect', () => this.#stream?.write(chunk, done));
  }

  override _final(done: (error?: Error | null) => void): void {
    // A peer that closed first is no error of ours: pg says goodbye and ends while the server does the same.
    const ended = (): void => done();
    if (this.#stream !== null) this.#stream.end(ended);
    else this.once('connect', () => this.#stream?.end(ended));
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.connecting = false;
    this.setTimeout(0);
    this.#stream?.destroy();
    done(error);
  }

  setTimeout(timeoutMs: number, callback?: () => void): this {
    this.timeout = timeoutMs;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (callback !== undefined) {
      if (timeoutMs > 0) this.once('timeout', callback);
      else this.removeListener('timeout', callback);
    }
    this.#active();
    return this;
  }

  #active(): void {
    if (this.timeout <= 0 || this.destroyed) return;
    if (this.#timer !== null) this.#timer.refresh();
    else this.#timer = setTimeout(() => this.emit('timeout'), this.timeout).unref();
  }

  destroySoon(): void {
    this.end();
    this.once('finish', () => this.destroy());
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

/**
 * A socket to the cluster for a TCP client.
 *
 * @example
 * new pg.Pool({ stream: () => clusterSocket(mesh, 'database') });
 * mysql.createPool({ stream: () => clusterSocket(mesh, 'database') });
 */
export function clusterSocket(mesh: Pick<MeshPort, 'connect'>, cluster: string): ClusterSocket {
  return new ClusterSocket(() => mesh.connect(cluster));
}

/**
 * The `Connector` option of ioredis for a cluster.
 *
 * @example
 * new Redis({ Connector: redisConnector(mesh, 'cache') });
 */
export function redisConnector(mesh: Pick<MeshPort, 'connect'>, cluster: string): RedisConnectorClass {
  return class {
    #socket: ClusterSocket | null = null;

    check(): boolean {
      return true;
    }

    connect(): Promise<ClusterSocket> {
      this.#socket = clusterSocket(mesh, cluster);
      return Promise.resolve(this.#socket);
    }

    disconnect(): void {
      this.#socket?.end();
    }
  };
}

/** What ioredis makes one of for each connection. */
export type RedisConnectorClass = new () => {
  check(): boolean;
  connect(): Promise<ClusterSocket>;
  disconnect(): void;
};
