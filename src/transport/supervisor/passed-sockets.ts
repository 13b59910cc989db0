import { createServer, type Server, type Socket } from 'node:net';
import type { Clock, Timer } from '../../core/base/clock.ts';
import { HeddleError } from '../../core/base/errors.ts';
import type { ListenPlace, SocketSource } from '../listener/options.ts';
import type { SocketPlace } from './messages.ts';
import type { ProcessLink } from './process-link.ts';

/** How long the end of a connection may wait to be told: telling costs a message. */
const tellMs = 20;

/**
 * Worker side: listeners whose connections are accepted by the supervisor. What comes is told at once, before this
 * process reads its first byte; what ends is told a little later, several at once.
 */
export class PassedSockets implements SocketSource {
  readonly #link: ProcessLink;
  readonly #clock: Clock;
  readonly #servers = new Map<number, Server>();
  readonly #live = new Map<number, number>();
  #places: readonly SocketPlace[] = [];
  #taken = 0;
  #refused: number[] = [];
  #isTelling = false;
  #later: Timer | null = null;

  constructor(link: ProcessLink, clock: Clock) {
    this.#link = link;
    this.#clock = clock;
    link.onConnection = ({ sequence, socket: id }, socket) => this.#take(sequence, id, socket);
  }

  /** What `listen` chooses from; those of before come back with the function that is returned. */
  use(places: readonly SocketPlace[]): () => void {
    const before = this.#places;
    this.#places = places;
    return () => {
      this.#places = before;
    };
  }

  listen({ name, address }: ListenPlace): { readonly server: Server; readonly address: string } {
    const { id, boundTo } = this.#placeOf(name, address);
    const server = createServer();
    this.#servers.set(id, server);
    server.once('close', () => {
      if (this.#servers.get(id) === server) this.#servers.delete(id);
      this.#tell();
    });
    this.#tell();
    return { server, address: boundTo };
  }

  datagrams(name: string, address: string): string {
    return this.#placeOf(name, address).boundTo;
  }

  #placeOf(name: string, address: string): SocketPlace {
    const found = this.#places.find((each) => each.name === name && each.address === address);
    if (found !== undefined) return found;
    throw new HeddleError('ERR_LISTENER_ADDRESS', `${address} of ${name} was not bound by the supervisor`);
  }

  #take(sequence: number, id: number, socket: Socket | undefined): void {
    this.#taken = sequence;
    const server = this.#servers.get(id);
    if (server === undefined || socket === undefined) {
      this.#refused.push(sequence);
      socket?.destroy();
    } else {
      this.#live.set(id, (this.#live.get(id) ?? 0) + 1);
      socket.once('close', () => this.#left(id));
      server.emit('connection', socket);
    }
    this.#tell();
  }

  #left(id: number): void {
    const rest = (this.#live.get(id) ?? 1) - 1;
    if (rest > 0) this.#live.set(id, rest);
    else this.#live.delete(id);
    this.#later ??= this.#clock.setTimer(tellMs, () => this.#tellNow());
  }

  /** Once for all that arrived together, and before the loop reads again. */
  #tell(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    process.nextTick(() => this.#tellNow());
  }

  #tellNow(): void {
    this.#isTelling = false;
    this.#later?.cancel();
    this.#later = null;
    const refused = this.#refused;
    this.#refused = [];
    this.#link.send({
      heddle: 'state',
      taken: this.#taken,
      refused,
      live: [...this.#live],
      accepting: [...this.#servers.keys()],
    });
  }
}
