import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../core/base/clock.ts';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import { parseAddress, type SocketAddress } from '../wire/address.ts';
import { AcceptPause } from './accept-pause.ts';
import { bind, keepingPath } from './bind.ts';
import { DescriptorGuard, descriptorProbe } from './descriptors.ts';
import type { ListenerOptions } from './options.ts';
import type { ListenerSlots } from './slots.ts';

const defaultMode = 0o660;
/** How long a drain goes on accepting connections that were set up before it began. */
const longestWaitMs = 200;

/** Whose connections are accepted. */
export interface AcceptingOwner {
  readonly isDraining: boolean;
  /** @returns false when the connection was turned away */
  accepted(socket: Socket, kind: SocketAddress['kind']): boolean;
  /** Connections that the kernel keeps waiting. */
  backlog(): number;
}

/** The listening socket of one listener: binds it, pauses while descriptors run out, gives it away and takes it over. */
export class Accepting {
  readonly #options: ListenerOptions;
  readonly #owner: AcceptingOwner;
  readonly #slots: ListenerSlots;
  readonly #clock: Clock;
  readonly #guard: DescriptorGuard;
  readonly #pause: AcceptPause;
  #server: Server | null = null;
  #accepted = 0;
  #address: SocketAddress;
  #boundTo = '';
  #isClosed = false;

  /** @throws HeddleError ERR_OPTION_INVALID for an address that cannot be read */
  constructor(options: ListenerOptions, slots: ListenerSlots, owner: AcceptingOwner) {
    this.#options = options;
    this.#owner = owner;
    this.#slots = slots;
    this.#clock = options.context.clock;
    this.#pause = new AcceptPause(this.#clock, () => this.#resume());
    this.#guard = new DescriptorGuard(options.descriptors ?? descriptorProbe());
    this.#address = parseAddress(options.address);
  }

  /** The address in use, "" before `start`. */
  get address(): string {
    return this.#boundTo;
  }

  /** What accepts now; null while nothing does. */
  get server(): Server | null {
    return this.#server;
  }

  /** @throws HeddleError ERR_LISTENER_ADDRESS, ERR_MESH_CLOSED */
  async start(inherited: Server | null): Promise<void> {
    const { name } = this.#options;
    if (this.#isClosed) throw new HeddleError('ERR_MESH_CLOSED', `listener ${name} was closed`);
    await this.#listen(inherited);
  }

  /** Goes on with the socket of `before`, within one turn. */
  takeOver(before: Accepting): void {
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

  stop(): void {
    this.#pause.cancel();
    this.#server?.close();
    this.#server = null;
  }

  /** Another process has the socket now: its path stays. */
  stopAfterHandOver(): void {
    const address = this.#address;
    if (address.kind === 'unix') keepingPath(address.path, () => this.stop());
    else this.stop();
  }

  /** Stops for good. */
  close(): void {
    this.stop();
    this.#isClosed = true;
  }

  /**
   * Closing a listening socket resets the connections that the kernel has set up and nobody has accepted yet, and each
   * loop turn accepts one (libuv 1.47 and later). A turn that accepted none found none: close right after it.
   */
  async untilNoneWaits(): Promise<void> {
    if (this.#server === null) return;
    const startMs = this.#clock.now();
    for (let before = -1; before !== this.#accepted && this.#clock.now() - startMs < longestWaitMs; ) {
      before = this.#accepted;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #listen(inherited: Server | null = null): Promise<void> {
    const backlog = this.#owner.backlog();
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
    if (this.#isClosed || this.#owner.isDraining) {
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
    server.on('error', (error: NodeJS.ErrnoException) => this.#failed(error));
  }

  #accept(socket: Socket): void {
    this.#accepted++;
    if (this.#guard.isExhausted()) this.#pauseAccepting('file descriptors run out');
    if (this.#owner.accepted(socket, this.#address.kind)) this.#pause.succeeded();
  }

  #failed(error: NodeJS.ErrnoException): void {
    const { name, context, logger } = this.#options;
    const { values } = context.metrics;
    values[this.#slots.acceptErrors] = (values[this.#slots.acceptErrors] as number) + 1;
    logger.warn('accept failed', { listener: name, error: messageOf(error) });
    if (error.code === 'EMFILE' || error.code === 'ENFILE') this.#pauseAccepting(error.code);
  }

  /** Node cannot leave connections in the backlog; while paused they are refused, so that clients go elsewhere. */
  #pauseAccepting(reason: string): void {
    if (this.#server === null || this.#owner.isDraining) return;
    const { name, context, logger } = this.#options;
    const { values } = context.metrics;
    values[this.#slots.pauses] = (values[this.#slots.pauses] as number) + 1;
    logger.warn('accepting paused', { listener: name, reason, pauseMs: this.#pause.delayMs });
    this.stop();
    this.#pause.begin();
  }

  async #resume(): Promise<boolean> {
    if (this.#owner.isDraining || this.#server !== null) return true;
    try {
      if (!this.#guard.hasRoom()) return false;
      await this.#listen();
      return true;
    } catch (error) {
      const { name, logger } = this.#options;
      logger.warn('accepting not resumed', { listener: name, error: messageOf(error) });
      return false;
    }
  }
}
