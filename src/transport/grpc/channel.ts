import * as v from 'valibot';
import { HeddleError } from '../../core/base/errors.ts';
import { clusterTls } from '../../core/config/schema/tls.ts';
import type { ConnectionPermits } from '../../core/contract/cluster.ts';
import type { Codec } from '../../core/contract/codec.ts';
import type { Pool } from '../../core/contract/pool.ts';
import type { ClusterTlsConfig } from '../../core/contract/tls-config.ts';
import type { Dialer } from '../../core/contract/wire.ts';
import { Http2Config, http2 } from '../codecs/http2/index.ts';
import { createPool, type PoolSetup } from '../pool/index.ts';
import type { DrivenWheel } from '../system-clock.ts';
import { TlsDialing } from '../tls/dial.ts';
import { createDialer } from '../wire/dial.ts';
import { ChannelStream } from './channel-stream.ts';
import { GrpcClient } from './client.ts';
import { GrpcEngine } from './engine.ts';
import type { GrpcExchange } from './exchange.ts';
import type { GrpcCallOptions, GrpcChannelOptions, GrpcSurroundings } from './options.ts';
import { writeRequestHead } from './request.ts';

const fourMiB = 4 * 1024 * 1024;

/**
 * Calls to one gRPC server over our own HTTP/2 connections, made when a call needs one. A connection that is lost fails
 * its calls (UNAVAILABLE); the next call dials again, no sooner than a growing back-off allows. What a server refused
 * without looking at it is sent once more by itself.
 *
 * @example
 * const channel = new GrpcChannel({ address: '127.0.0.1:9848' }, context);
 * const answer = await channel.unary(queryService, { name: 'users' }, { timeoutMs: 3000 });
 * const call = channel.open(watch);
 * await call.send({ cluster: 'a' });
 * for await (const change of call) apply(change);
 * await channel.close();
 */
export class GrpcChannel extends GrpcClient implements AsyncDisposable {
  readonly #options: GrpcChannelOptions;
  readonly #engine: GrpcEngine;
  readonly #ownsEngine: boolean;
  readonly #createPool: () => Pool;
  #pool: Pool;
  readonly #authority: string;
  readonly #calls = new Set<GrpcExchange>();
  #isClosed = false;

  /**
   * Opens nothing yet.
   *
   * @param engine shared by many channels and closed by who made it; one of its own when left out
   * @throws HeddleError ERR_OPTION_INVALID, ERR_TLS_CONFIG
   */
  constructor(options: GrpcChannelOptions, surroundings: GrpcSurroundings, engine?: GrpcEngine) {
    super();
    this.#ownsEngine = engine === undefined;
    this.#engine = engine ?? new GrpcEngine(surroundings);
    this.#options = options;
    this.#authority = options.authority ?? authorityOf(options.address);
    const shared = this.#engine;
    const setup: PoolSetup = {
      codec: http2 as Codec<never>,
      codecConfig: codecConfig(options),
      dial: dialerOf(options, surroundings, shared.wheel),
      context: shared.context,
      options: {
        preconnect: 0,
        maxConnectionsPerHost: options.maxConnections ?? 1,
        maxRequestsPerConnection: 0,
        idleTimeoutMs: options.idleTimeoutMs ?? 300_000,
        connectTimeoutMs: options.connectTimeoutMs ?? 5000,
      },
      permits: permitsOf(options.maxWaiting ?? 10_000),
      address: options.address,
    };
    this.#createPool = () => createPool(setup);
    this.#pool = this.#createPool();
  }

  /** Calls under way. */
  get active(): number {
    return this.#calls.size;
  }

  /** Connections that exist, connecting ones included. */
  get connections(): number {
    return this.#pool.stats().connections;
  }

  protected override maxReceiveBytes(options: GrpcCallOptions): number {
    return options.maxReceiveBytes ?? this.#options.maxReceiveBytes ?? fourMiB;
  }

  protected override maxSendBytes(): number {
    return this.#options.maxSendBytes ?? Number.POSITIVE_INFINITY;
  }

  override start(path: string, exchange: GrpcExchange, options: GrpcCallOptions): void {
    if (this.#isClosed) throw new HeddleError('ERR_MESH_CLOSED', `gRPC channel to ${this.#options.address}`);
    const { core, wheel, context } = this.#engine;
    const s = core.acquire();
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs ?? 0;
    const metadata = { ...this.#options.metadata, ...options.metadata };
    writeRequestHead(s.req, path, this.#authority, timeoutMs, metadata);
    s.requestOwned = true;
    s.protocol = 'call';
    const stream = new ChannelStream(s, this.#pool, exchange, () => {
      wheel.disarm(s);
      this.#calls.delete(exchange);
    });
    core.begin(s, stream);
    this.#calls.add(exchange);
    exchange.begin(stream);
    if (timeoutMs > 0) wheel.arm(s, context.clock.now() + timeoutMs);
    stream.open();
  }

  /** Ends every call and connection now; the next call dials at once, whatever failed before. */
  disconnect(): void {
    const pool = this.#pool;
    if (this.#isClosed) return;
    this.#pool = this.#createPool();
    pool.close();
  }

  /** Ends every call and connection, for good. */
  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#pool.close();
    }
    await this.#pool.closed;
    if (this.#ownsEngine) this.#engine.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function authorityOf(address: string): string {
  return address.startsWith('unix:') ? 'localhost' : address;
}

function codecConfig({ keepaliveMs, ackTimeoutMs, windowBytes }: GrpcChannelOptions): Http2Config {
  return checked(Http2Config, {
    ...(keepaliveMs !== undefined && { keepaliveMs }),
    ...(ackTimeoutMs !== undefined && { ackTimeoutMs }),
    ...(windowBytes !== undefined && { streamWindowBytes: windowBytes }),
  });
}

function checked<Schema extends v.GenericSchema>(schema: Schema, input: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, input);
  if (result.success) return result.output;
  const problems = result.issues.map((each) => `${v.getDotPath(each) ?? ''}: ${each.message}`);
  throw new HeddleError('ERR_OPTION_INVALID', problems.join('; '));
}

function dialerOf(options: GrpcChannelOptions, surroundings: GrpcSurroundings, wheel: DrivenWheel): Dialer {
  if (options.tls === undefined) return surroundings.dial ?? createDialer(surroundings.clock, wheel);
  const tls = checked(clusterTls, options.tls) as ClusterTlsConfig;
  const name = `gRPC channel to ${options.address}`;
  return new TlsDialing(tls, tls.alpn ?? ['h2'], name, { ...surroundings, wheel }).dial;
}

/** The pool itself bounds connections. */
function permitsOf(maxWaiting: number): ConnectionPermits {
  let waitingNow = 0;
  return {
    tryConnection: () => true,
    releaseConnection() {},
    tryPending() {
      if (waitingNow >= maxWaiting) return false;
      waitingNow++;
      return true;
    },
    releasePending() {
      waitingNow--;
    },
  };
}
