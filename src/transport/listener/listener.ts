import { createServer, type Server, type Socket } from 'node:net';
import { channels } from '../../core/base/channels.ts';
import type { Clock } from '../../core/base/clock.ts';
import { Code, factsOf } from '../../core/base/codes.ts';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import type { Codec, ServerCodec, ServerConnection, ServerOwner } from '../../core/contract/codec.ts';
import type { Pipeline } from '../../core/contract/pipeline.ts';
import type { Wire } from '../../core/contract/wire.ts';
import type { Arrival } from '../network-filters/arrival.ts';
import type { ArrivalOwner, NetworkChain } from '../network-filters/chain.ts';
import { parseAddress, type SocketAddress } from '../wire/address.ts';
import { SocketWire } from '../wire/socket-wire.ts';
import { AcceptPause } from './accept-pause.ts';
import { Arrivals } from './arrivals.ts';
import { bind, keepingPath } from './bind.ts';
import { DescriptorGuard, descriptorProbe } from './descriptors.ts';
import type { ListenerLimits, ListenerOptions } from './options.ts';
import { type ListenerSlots, listenerSlots } from './slots.ts';
import { SourceCounts } from './source-counts.ts';

const defaultMode = 0o660;
/** How long a drain goes on accepting connections that were set up before it began. */
const longestWaitMs = 200;
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
export class Listener implements ServerOwner, ArrivalOwner, AsyncDisposable {
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
  #chain: NetworkChain | null;
  readonly #guard: DescriptorGuard;
  #server: Server | null = null;
  #accepted = 0;
  #address: SocketAddress;
  #boundTo = '';
  readonly #pause: AcceptPause;
  #empty: PromiseWithResolvers<void> | null = null;
  #isClosed = false;

  /** @throws HeddleError ERR_OPTION_INVALID for an address that cannot be read */
  constructor(options: ListenerOptions) {
    this.#options = options;
    this.name = options.name;
    this.pipeline = options.pipeline;
    this.limits = options.limits;
    this.#chain = options.chain ?? null;
    this.#codec = options.codec;
    this.#clock = options.context.clock;
    this.#pause = new AcceptPause(this.#clock, () => this.#resumeAccepting());
    this.#slots = listenerSlots(options.context.metrics, options.name);
    this.#guard = new DescriptorGuard(options.descriptors ?? descriptorProbe());
    this.#address = parseAddress(options.address);
  }

  /** The address in use, "" before `start`. */
  get address(): string {
    return this.#boundTo;
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
    return this.#server;
  }

  /**
   * @param inherited a listening server from another process, used instead of binding the address
   * @throws HeddleError ERR_LISTENER_ADDRESS
   */
  async start(inherited: Server | null = null): Promise<this> {
    if (this.#isClosed) throw new HeddleError('ERR_MESH_CLOSED', `listener ${this.name} was closed`);
    await this.#listen(inherited);
    return this;
  }

  /**
   * Goes on with the listening socket of `before`, within one turn: nothing is bound and nobody is refused.
   * `before` keeps its connections.
   */
  takeOver(before: Listener): void {
    const server = before.#server;
    before.#server = null;
    before.#pause.cancel();
    this.#address = before.#address;
    this.#boundTo = before.#boundTo;
    if (server === null) {
      this.#pause.begin();
      return;
    }
    server.removeAllListeners('connection');
    server.removeAllListeners('error');
    this.#acceptFrom(server);
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
    this.#pause.cancel();
    this.#server?.close();
    this.#server = null;
  }

  /** Stops accepting here after another process took the listening socket over. */
  stopAfterHandOver(): void {
    const address = this.#address;
    if (address.kind === 'unix') keepingPath(address.path, () => this.stopAccepting());
    else this.stopAccepting();
  }

  /**
   * Stops accepting, lets connections finish what they carry, drops what is left after `deadlineMs`.
   * Resolves when the last one is gone.
   */
  async drain(deadlineMs: number): Promise<void> {
    this.isDraining = true;
    await this.#untilNoneWaits();
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
    this.#isClosed = true;
  }

  /** Drops everything now. Resolves when the last connection is gone. */
  async close(): Promise<void> {
    this.isDraining = true;
    this.stopAccepting();
    this.#isClosed = true;
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

  async #listen(inherited: Server | null = null): Promise<void> {
    const { backlog } = this.limits;
    const source = inherited === null ? this.#options.sockets : null;
    if (source) {
      const { name, address } = this.#options;
      const given = source.listen({ name, address, backlog });
      this.#adopt(given.server, given.address);
      return;
    }
    const isPipe = this.#address.kind === 'unix';
    const server =
      isPipe && inherited !== null ? inherited : createServer({ noDelay: true, keepAlive: true });
    const mode = this.#options.mode ?? defaultMode;
    this.#adopt(server, await bind(server, this.#address, backlog, mode, inherited));
  }

  #adopt(server: Server, boundTo: string): void {
    if (this.#isClosed || this.isDraining) {
      server.close();
      return;
    }
    // A pause listens anew: on the port that was chosen, not on another free one.
    this.#boundTo = boundTo;
    this.#address = parseAddress(boundTo);
    this.#acceptFrom(server);
  }

  #acceptFrom(server: Server): void {
    this.#server = server;
    server.on('connection', (socket) => this.#accept(socket));
    server.on('error', (error: NodeJS.ErrnoException) => this.#acceptFailed(error));
  }

  #accept(socket: Socket): void {
    const limits = this.limits;
    this.#accepted++;
    if (this.#guard.isExhausted()) this.#pauseAccepting('file descriptors run out');
    if (limits.maxConnections > 0 && this.connectionCount >= limits.maxConnections) {
      this.#reject(socket, this.#slots.overConnections);
      return;
    }
    // On the socket, as an inherited server has options of its own.
    socket.allowHalfOpen = true;
    const wire = new SocketWire(socket, this.#address.kind, 'accepted');
    if (this.#chain?.replacesPeer !== true && this.#isOverSource(wire)) {
      this.#reject(socket, this.#slots.overSource);
      return;
    }
    this.#pause.succeeded();
    if (this.#chain === null) {
      this.serve(wire);
      return;
    }
    this.#sources.add(wire);
    this.#arrivals.begin(wire, this.#chain);
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

  #acceptFailed(error: NodeJS.ErrnoException): void {
    const values = this.#options.context.metrics.values;
    values[this.#slots.acceptErrors] = (values[this.#slots.acceptErrors] as number) + 1;
    this.#options.logger.warn('accept failed', { listener: this.name, error: messageOf(error) });
    if (error.code === 'EMFILE' || error.code === 'ENFILE') this.#pauseAccepting(error.code);
  }

  /** Node cannot leave connections in the backlog; while paused they are refused, so that clients go elsewhere. */
  #pauseAccepting(reason: string): void {
    if (this.#server === null || this.isDraining) return;
    const values = this.#options.context.metrics.values;
    values[this.#slots.pauses] = (values[this.#slots.pauses] as number) + 1;
    this.#options.logger.warn('accepting paused', {
      listener: this.name,
      reason,
      pauseMs: this.#pause.delayMs,
    });
    this.stopAccepting();
    this.#pause.begin();
  }

  async #resumeAccepting(): Promise<boolean> {
    if (this.isDraining || this.#server !== null) return true;
    try {
      if (!this.#guard.hasRoom()) return false;
      await this.#listen();
      return true;
    } catch (error) {
      this.#options.logger.warn('accepting not resumed', { listener: this.name, error: messageOf(error) });
      return false;
    }
  }

  /**
   * Closing a listening socket resets the connections that the kernel has set up and nobody has accepted yet, and each
   * loop turn accepts one (libuv 1.47 and later). A turn that accepted none found none: close right after it.
   */
  async #untilNoneWaits(): Promise<void> {
    if (this.#server === null) return;
    const startMs = this.#clock.now();
    for (let before = -1; before !== this.#accepted && this.#clock.now() - startMs < longestWaitMs; ) {
      before = this.#accepted;
      await new Promise((resolve) => setImmediate(resolve));
    }
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
