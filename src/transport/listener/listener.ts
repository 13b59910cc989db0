import type { Server, Socket } from 'node:net';
import { channels } from '../../core/base/channels.ts';
import type { Clock } from '../../core/base/clock.ts';
import { Code, factsOf } from '../../core/base/codes.ts';
import type { Codec, ServerCodec, ServerConnection, ServerOwner } from '../../core/contract/codec.ts';
import type { Pipeline } from '../../core/contract/pipeline.ts';
import type { Wire } from '../../core/contract/wire.ts';
import type { Arrival } from '../network-filters/arrival.ts';
import type { ArrivalOwner, NetworkChain } from '../network-filters/chain.ts';
import type { SocketAddress } from '../wire/address.ts';
import { SocketWire } from '../wire/socket-wire.ts';
import { Accepting, type AcceptingOwner } from './accepting.ts';
import { Arrivals } from './arrivals.ts';
import type { ListenerLimits, ListenerOptions } from './options.ts';
import { type ListenerSlots, listenerSlots } from './slots.ts';
import { SourceCounts } from './source-counts.ts';

/**
 * How long a drain leaves idle connections of a one-at-a-time protocol open: a request that is on its way when they
 * close would be lost, and one that arrives in this time is answered with "connection: close" (50 restarts under load:
 * 210 to 224 lost requests when closed at once, none after 400 ms).
 */
const idleGraceMs = 400;

/**
 * Accepts connections and gives each a wire and a server codec.
 *
 *   net.Server -> limits -> SocketWire -> codec.server(wire, context, this)
 *
 * `pipeline` and `limits` are read anew for each request, so `update` changes them under live connections.
 */
export class Listener implements ServerOwner, ArrivalOwner, AcceptingOwner, AsyncDisposable {
  readonly name: string;
  pipeline: Pipeline;
  limits: ListenerLimits;
  isDraining = false;
  /** Told of each connection that stands at a message boundary, while a hand-over waits for it. */
  onIdle: ((connection: ServerConnection) => void) | null = null;
  readonly #options: ListenerOptions;
  readonly #codec: Codec<unknown>;
  readonly #clock: Clock;
  readonly #slots: ListenerSlots;
  readonly #sources = new SourceCounts();
  readonly #connections = new Set<ServerConnection>();
  readonly #arrivals = new Arrivals(this);
  /**
   * V8 throws optimised code away when the last object of a shape that it was made for is collected, which an idle
   * proxy's are: the first 60,000 requests after a pause cost twice as much. One closed connection, with its wire, socket
   * and last stream, keeps the shapes (HTTP/2 after 10 s of rest: 28 us a request without, 20 with; 13 before).
   */
  protected example: ServerConnection | null = null;
  #chain: NetworkChain | null;
  readonly #accepting: Accepting;
  #empty: PromiseWithResolvers<void> | null = null;

  /** @throws HeddleError ERR_OPTION_INVALID for an address that cannot be read */
  constructor(options: ListenerOptions) {
    this.#options = options;
    this.name = options.name;
    this.pipeline = options.pipeline;
    this.limits = options.limits;
    this.#chain = options.chain ?? null;
    this.#codec = options.codec;
    this.#clock = options.context.clock;
    this.#slots = listenerSlots(options.context.metrics, options.name);
    this.#accepting = new Accepting(options, this.#slots, this);
  }

  /** The address in use, "" before `start`. */
  get address(): string {
    return this.#accepting.address;
  }

  /** Those included that are still on their way through network filters. */
  get connectionCount(): number {
    return this.#connections.size + this.#arrivals.size;
  }

  /** The live connections, for hand-over and admin. */
  get connections(): ReadonlySet<ServerConnection> {
    return this.#connections;
  }

  /** What accepts now; null while nothing does. For a hand-over, which sends it to the next process. */
  get server(): Server | null {
    return this.#accepting.server;
  }

  /**
   * @param inherited a listening server from another process, used instead of binding the address
   * @throws HeddleError ERR_LISTENER_ADDRESS
   */
  async start(inherited: Server | null = null): Promise<this> {
    await this.#accepting.start(inherited);
    return this;
  }

  /**
   * Goes on with the listening socket of `before`, within one turn: nothing is bound and nobody is refused.
   * `before` keeps its connections.
   */
  takeOver(before: Listener): void {
    this.#accepting.takeOver(before.#accepting);
  }

  /** Streams that begin from now on use these; connections accepted from now on the chain. */
  update(pipeline: Pipeline, limits: ListenerLimits, chain: NetworkChain | null = this.#chain): void {
    this.pipeline = pipeline;
    this.limits = limits;
    this.#chain = chain;
  }

  /** Serves a wire that was accepted elsewhere: by a hand-over, a test, a detecting layer. */
  serve(wire: Wire): ServerCodec {
    const codec = this.#codec.server(wire, this.#options.context, this, this.#options.codecConfig);
    this.#take(codec);
    return codec;
  }

  arrived(arrival: Arrival): boolean {
    this.#arrivals.remove(arrival);
    this.#sources.remove(arrival.socket);
    // Behind a trusted proxy this is the first sight of who the client is.
    if (this.#isOverSource(arrival.wire)) {
      this.#countRejected(this.#slots.overSource);
      arrival.socket.destroy(Code.filterClosed);
      this.#checkEmpty();
      return false;
    }
    this.#take(arrival.ending.serve(arrival, this));
    return true;
  }

  left(arrival: Arrival): void {
    this.#arrivals.remove(arrival);
    this.#sources.remove(arrival.socket);
    this.#checkEmpty();
  }

  /** Stops accepting; connections go on. */
  stopAccepting(): void {
    this.#accepting.stop();
  }

  /** Stops accepting here after another process took the listening socket over. */
  stopAfterHandOver(): void {
    this.#accepting.stopAfterHandOver();
  }

  /**
   * Stops accepting, lets connections finish what they carry, drops what is left after `deadlineMs`.
   * Resolves when the last one is gone.
   */
  async drain(deadlineMs: number): Promise<void> {
    this.isDraining = true;
    await this.#accepting.untilNoneWaits();
    this.stopAccepting();
    const drainConnections = (): void => {
      this.#arrivals.dropAll(Code.draining);
      for (const connection of [...this.#connections]) connection.drain();
    };
    const graceMs = this.#codec.poolMode === 'pingPong' ? Math.min(idleGraceMs, deadlineMs / 2) : 0;
    if (graceMs === 0) drainConnections();
    const grace = graceMs === 0 ? null : this.#clock.setTimer(graceMs, drainConnections);
    if (this.connectionCount > 0) await this.#emptyWithin(deadlineMs);
    grace?.cancel();
    this.#accepting.close();
  }

  /** Drops everything now. Resolves when the last connection is gone. */
  async close(): Promise<void> {
    this.isDraining = true;
    this.#accepting.close();
    if (this.connectionCount > 0) await this.#emptyWithin(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  protocolError(code: number, detail: string): void {
    const metrics = this.#options.context.metrics;
    const reason = factsOf(code).name;
    const slot = metrics.counter('heddle_listener_protocol_errors_total', { listener: this.name, reason });
    metrics.values[slot] = (metrics.values[slot] as number) + 1;
    this.#options.logger.debug('downstream protocol error', { listener: this.name, reason, detail });
  }

  closed(connection: ServerConnection): void {
    if (!this.#connections.delete(connection)) return;
    this.example = connection;
    this.#sources.remove(connection.wire);
    this.#options.context.metrics.values[this.#slots.active] = this.#connections.size;
    if (channels.connectionClose.hasSubscribers) {
      channels.connectionClose.publish({ listener: this.name, wire: connection.wire });
    }
    this.#options.onGone?.(connection);
    this.#checkEmpty();
  }

  idle(connection: ServerConnection): void {
    this.onIdle?.(connection);
  }

  #take(connection: ServerConnection): void {
    // Always counted, as a reload may bring the limit while they live. It reads the address, as any request does.
    this.#sources.add(connection.wire);
    this.#connections.add(connection);
    if (channels.connectionOpen.hasSubscribers) {
      channels.connectionOpen.publish({ listener: this.name, wire: connection.wire });
    }
    const values = this.#options.context.metrics.values;
    values[this.#slots.connections] = (values[this.#slots.connections] as number) + 1;
    values[this.#slots.active] = this.#connections.size;
  }

  #checkEmpty(): void {
    if (this.connectionCount === 0) this.#empty?.resolve();
  }

  backlog(): number {
    return this.limits.backlog;
  }

  accepted(socket: Socket, kind: SocketAddress['kind']): boolean {
    const limits = this.limits;
    if (limits.maxConnections > 0 && this.connectionCount >= limits.maxConnections) {
      this.#reject(socket, this.#slots.overConnections);
      return false;
    }
    // On the socket, as an inherited server has options of its own.
    socket.allowHalfOpen = true;
    const wire = this.#chain?.wrapper?.wrap(socket, kind) ?? new SocketWire(socket, kind, 'accepted');
    if (this.#chain?.replacesPeer !== true && this.#isOverSource(wire)) {
      this.#reject(socket, this.#slots.overSource);
      return false;
    }
    if (this.#chain === null) {
      this.serve(wire);
      return true;
    }
    this.#sources.add(wire);
    this.#arrivals.begin(wire, this.#chain);
    return true;
  }

  #isOverSource(wire: Wire): boolean {
    const limit = this.limits.maxConnectionsPerSource;
    return limit > 0 && this.#sources.countOf(wire) >= limit;
  }

  #reject(socket: Socket, slot: number): void {
    this.#countRejected(slot);
    socket.destroy();
  }

  #countRejected(slot: number): void {
    const values = this.#options.context.metrics.values;
    values[slot] = (values[slot] as number) + 1;
  }

  async #emptyWithin(deadlineMs: number): Promise<void> {
    // Shared: a close in the middle of a drain ends both.
    this.#empty ??= Promise.withResolvers<void>();
    const drop = (): void => {
      this.#arrivals.dropAll(Code.draining);
      for (const connection of [...this.#connections]) connection.wire.destroy(Code.draining);
    };
    if (deadlineMs <= 0) drop();
    const timer = this.#clock.setTimer(Math.max(0, deadlineMs), drop);
    await this.#empty.promise;
    timer.cancel();
  }
}
