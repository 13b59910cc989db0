import { Backoff } from '../../../../core/base/backoff.ts';
import type { Timer } from '../../../../core/base/clock.ts';
import { messageOf } from '../../../../core/base/errors.ts';
import { NacosCode, NacosError, type NacosResponse, type ServerRequest } from '../wire/messages.ts';
import { type ConnectionContext, NacosConnection } from './connection.ts';
import type { NacosLogin } from './login.ts';

export interface SessionOptions {
  /** gRPC addresses. */
  readonly servers: readonly string[];
  readonly tenant: string;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxMessageBytes: number;
  /** A server that says nothing for so long is asked whether it is there. */
  readonly keepAliveMs: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** gRPC address of a server that the present one sends us to; null: it cannot be told. */
  readonly addressOf: (host: string, httpPort: number) => string | null;
}

export interface SessionListener {
  /** A connection is there, and the server knows nothing of us yet: also when it replaces another one. */
  onConnected?(): void;
  onDisconnected?(reason: string): void;
  /** @returns true when it was for this listener */
  onPush?(type: string, request: ServerRequest): boolean;
}

/** After a move the old connection stays so long: what lived on it is said again on the new one meanwhile. */
const lingerMs = 2000;
/** Unanswered health checks before a connection is given up. */
const maxMissed = 2;

/**
 * The way to a cluster of servers: one connection at a time, another server when it is lost, told to move by the server
 * without a gap. Who uses it says everything again in `onConnected`.
 */
export class NacosSession {
  readonly #options: SessionOptions;
  readonly #context: ConnectionContext;
  readonly #login: NacosLogin | null;
  readonly #listeners = new Set<SessionListener>();
  readonly #backoff: Backoff;
  #current: NacosConnection | null = null;
  #next: number;
  #reason = 'not connected yet';
  #isClosed = false;
  #retry: Timer | null = null;
  #keepAlive: Timer | null = null;
  #missed = 0;
  /** The attempt that is under way. */
  #connecting: Promise<void> | null = null;
  readonly #lingering = new Map<NacosConnection, Timer>();

  constructor(options: SessionOptions, context: ConnectionContext, login: NacosLogin | null) {
    this.#options = options;
    this.#context = context;
    this.#login = login;
    this.#backoff = new Backoff(
      { baseMs: options.backoffBaseMs, maxMs: options.backoffMaxMs },
      context.random,
    );
    this.#next = context.random.uint32() % options.servers.length;
  }

  get isConnected(): boolean {
    return this.#current !== null;
  }

  listen(listener: SessionListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  start(): void {
    void this.#connect(null);
  }

  /** Rejects with NacosError when the server refuses, with another reason when it cannot be asked. */
  async request<Response extends NacosResponse>(
    type: string,
    body: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      const token = await this.#login?.token();
      // Who asks right after the start need not fail.
      if (this.#current === null) await this.#connecting;
      const connection = this.#current;
      if (connection === null) throw new Error(this.#reason);
      try {
        const all = token === undefined ? headers : { ...headers, accessToken: token };
        return await connection.request<Response>(type, body, all);
      } catch (thrown) {
        const isRefused = thrown instanceof NacosError && thrown.errorCode === NacosCode.noRight;
        if (!isRefused || this.#login === null || attempt > 1) throw thrown;
        this.#login.forget(token);
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#keepAlive?.cancel();
    for (const [connection, timer] of this.#lingering) {
      timer.cancel();
      connection.close('closed');
    }
    this.#current?.close('closed');
    this.#current = null;
    this.#listeners.clear();
  }

  #connect(first: string | null): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#connecting ??= this.#connectNow(first).finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }

  /** Tries each server once, beginning with `first`. */
  async #connectNow(first: string | null): Promise<void> {
    const { servers } = this.#options;
    const order = servers.map((_, i) => servers[(this.#next + i) % servers.length] as string);
    if (first !== null) order.unshift(first);
    let reason = '';
    for (const address of order) {
      const connection = new NacosConnection({ ...this.#options, address }, this.#context, this.#onRequest);
      const problem = await connection.open().then(() => '', messageOf);
      if (this.#isClosed) {
        connection.close('closed');
        return;
      }
      if (problem === '') {
        this.#use(connection);
        return;
      }
      reason = `${address}: ${problem}`;
    }
    if (this.#current !== null) return;
    this.#reason = reason;
    this.#tell((each) => each.onDisconnected?.(reason));
    this.#reconnectLater();
  }

  #use(connection: NacosConnection): void {
    const before = this.#current;
    this.#current = connection;
    this.#missed = 0;
    this.#retry?.cancel();
    this.#next = Math.max(0, this.#options.servers.indexOf(connection.address));
    const startMs = this.#context.clock.now();
    void connection.closed.then((reason) => this.#lost(connection, reason, startMs));
    if (before !== null) this.#leave(before);
    this.#tell((each) => each.onConnected?.());
    this.#keepAliveLater();
  }

  #leave(connection: NacosConnection): void {
    const timer = this.#context.clock.setTimer(lingerMs, () => {
      this.#lingering.delete(connection);
      connection.close('moved to another server');
    });
    this.#lingering.set(connection, timer);
  }

  #lost(connection: NacosConnection, reason: string, startMs: number): void {
    if (this.#isClosed || this.#current !== connection) return;
    this.#current = null;
    this.#keepAlive?.cancel();
    this.#reason = `${connection.address}: ${reason}`;
    this.#next++;
    // A server that accepts and drops at once is no better than one that is not there.
    if (this.#context.clock.now() - startMs > this.#options.keepAliveMs) this.#backoff.reset();
    const told = this.#reason;
    this.#tell((each) => each.onDisconnected?.(told));
    this.#reconnectLater();
  }

  /** Never at once: all clients of a server lose it at the same moment. */
  #reconnectLater(): void {
    this.#retry?.cancel();
    this.#retry = this.#context.clock.setTimer(this.#backoff.nextMs(), () => void this.#connect(null));
  }

  #keepAliveLater(): void {
    this.#keepAlive?.cancel();
    const { keepAliveMs } = this.#options;
    const silentMs = this.#current?.silentMs ?? 0;
    this.#keepAlive = this.#context.clock.setTimer(
      Math.max(50, keepAliveMs - silentMs),
      () => void this.#check(),
    );
  }

  async #check(): Promise<void> {
    const connection = this.#current;
    if (connection === null) return;
    if (connection.silentMs >= this.#options.keepAliveMs) {
      const isFine = await connection.request('HealthCheckRequest', { module: 'internal' }, {}).then(
        () => true,
        (thrown: unknown) => thrown instanceof NacosError && thrown.errorCode !== NacosCode.unregistered,
      );
      if (this.#current !== connection) return;
      this.#missed = isFine ? 0 : this.#missed + 1;
      if (isFine) this.#backoff.reset();
      if (this.#missed >= maxMissed) connection.close('it does not answer health checks');
    }
    if (this.#current === connection && !this.#isClosed) this.#keepAliveLater();
  }

  readonly #onRequest = (type: string, request: ServerRequest): string | null => {
    switch (type) {
      case 'ClientDetectionRequest':
        return 'ClientDetectionResponse';
      case 'ClientConfigMetricRequest':
        return 'ClientConfigMetricResponse';
      case 'ConnectResetRequest':
        this.#move(request);
        return 'ConnectResetResponse';
      default: {
        let isTaken = false;
        this.#tell((each) => {
          isTaken = each.onPush?.(type, request) === true || isTaken;
        });
        return isTaken ? type.replace(/Request$/, 'Response') : null;
      }
    }
  };

  /** Balancing among servers: this one wants us elsewhere. */
  #move({ serverIp, serverPort }: ServerRequest): void {
    const port = Number(serverPort);
    const isNamed = serverIp !== undefined && serverIp !== '' && Number.isInteger(port) && port > 0;
    if (!isNamed) this.#next++;
    void this.#connect(isNamed ? this.#options.addressOf(serverIp, port) : null);
  }

  #tell(run: (listener: SessionListener) => void): void {
    for (const listener of [...this.#listeners]) run(listener);
  }
}
