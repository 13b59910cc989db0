import { createSocket } from 'node:dgram';
import { createServer, isIPv6, type Server, type Socket } from 'node:net';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import type { Logger } from '../../core/contract/logger.ts';
import { bind } from '../listener/bind.ts';
import { formatAddress, parseAddress } from '../wire/address.ts';
import type { SocketPlace } from './messages.ts';
import type { PassedConnections } from './passed-connections.ts';
import { Spread } from './spread.ts';

const socketMode = 0o660;
/** Connections that wait in the supervisor while no worker takes them. */
const maxWaiting = 1024;
/** How long accepting goes on after a drain began, for what the kernel had set up before. */
const longestWaitMs = 200;

/** What a listener of the configuration needs. */
export interface WantedPlace {
  readonly name: string;
  readonly address: string;
  readonly backlog: number;
  readonly isDatagram: boolean;
}

interface Open extends SocketPlace {
  /** Null for datagrams: workers bind those themselves, shared. */
  readonly server: Server | null;
}

/** Sockets of a configuration that is not in force yet. */
export interface PreparedSockets {
  readonly places: readonly SocketPlace[];
  commit(): void;
  abandon(): void;
}

/**
 * The listening sockets of all workers. They are bound once, here, and stay over the death and the replacement of any
 * worker; each connection is passed on unread. It costs 50 us of CPU a connection here and 25 in the worker.
 */
export class SharedSockets {
  readonly workers = new Set<PassedConnections>();
  readonly #logger: Logger;
  readonly #spread = new Spread(this.workers);
  #open: readonly Open[] = [];
  #waiting: [place: number, socket: Socket][] = [];
  #ids = 0;
  #accepted = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get places(): readonly SocketPlace[] {
    return this.#open.map(toPlace);
  }

  /** Connections that wait for a worker. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Binds what is new; what stays, or goes to a listener of another name, keeps its socket. @throws HeddleError ERR_LISTENER_ADDRESS */
  async prepare(wanted: readonly WantedPlace[]): Promise<PreparedSockets> {
    const next: Open[] = [];
    const added: Open[] = [];
    const addresses = new Map(wanted.map((each) => [each.name, each.address]));
    try {
      for (const place of wanted) {
        const kept = this.#keptFor(place, addresses);
        const open =
          kept === null ? await this.#bind(place) : { ...kept, name: place.name, address: place.address };
        if (kept === null) added.push(open);
        next.push(open);
      }
    } catch (thrown) {
      closeAll(added);
      throw thrown;
    }
    const commit = (): void => {
      const ids = new Set(next.map(({ id }) => id));
      closeAll(this.#open.filter(({ id }) => !ids.has(id)));
      this.#open = next;
    };
    return { places: next.map(toPlace), commit, abandon: () => closeAll(added) };
  }

  /** Gives what waits to workers that take it now. */
  retry(): void {
    for (const [place, socket] of this.#waiting.splice(0)) this.pass(place, socket);
  }

  /** To the worker with fewest; while nobody takes it, it waits. */
  readonly pass = (place: number, socket: Socket): void => {
    const worker = this.#spread.choose(place);
    if (worker !== null) worker.pass(place, socket);
    else if (this.#waiting.length < maxWaiting && this.#open.some(({ id }) => id === place)) {
      this.#waiting.push([place, socket]);
    } else socket.destroy();
  };

  /** Accepts what the kernel had set up and then nothing more. */
  async stopAccepting(): Promise<void> {
    const startMs = performance.now();
    // Each loop turn accepts one; a turn that accepted none found none.
    for (let before = -1; before !== this.#accepted && performance.now() - startMs < longestWaitMs; ) {
      before = this.#accepted;
      await new Promise((resolve) => setImmediate(resolve));
    }
    closeAll(this.#open);
  }

  close(): void {
    closeAll(this.#open);
    for (const [, socket] of this.#waiting.splice(0)) socket.destroy();
  }

  /** As a listener table keeps sockets: the same listener, or one whose address another had and gives up. */
  #keptFor({ name, address }: WantedPlace, addresses: ReadonlyMap<string, string>): Open | null {
    const own = this.#open.find((each) => each.name === name);
    if (own !== undefined && hasAddress(own, address)) return own;
    if (address.endsWith(':0')) return null;
    return (
      this.#open.find((each) => hasAddress(each, address) && addresses.get(each.name) !== address) ?? null
    );
  }

  async #bind({ name, address, backlog, isDatagram }: WantedPlace): Promise<Open> {
    const id = ++this.#ids;
    if (isDatagram) return { id, name, address, boundTo: await datagramPlace(address), server: null };
    const server = createServer({
      noDelay: true,
      keepAlive: true,
      pauseOnConnect: true,
      allowHalfOpen: true,
    });
    const boundTo = await bind(server, parseAddress(address), backlog, socketMode, null);
    server.on('connection', (socket) => {
      this.#accepted++;
      // Paused as it is, it tells of nothing but an error of the descriptor.
      socket.on('error', () => {});
      this.pass(id, socket);
    });
    server.on('error', (error) => {
      this.#logger.warn('accept failed', { listener: name, error: messageOf(error) });
    });
    return { id, name, address, boundTo, server };
  }
}

function closeAll(places: readonly Open[]): void {
  for (const { server } of places) server?.close();
}

const toPlace = ({ id, name, address, boundTo }: Open): SocketPlace => ({ id, name, address, boundTo });

const hasAddress = (open: Open, address: string): boolean =>
  open.address === address || open.boundTo === address;

/** Datagrams of one client must reach one worker: each binds the port itself and the kernel goes by the client's address. */
async function datagramPlace(address: string): Promise<string> {
  const place = parseAddress(address);
  if (place.kind === 'unix')
    throw new HeddleError('ERR_LISTENER_ADDRESS', `${address}: datagrams need "host:port"`);
  if (place.port !== 0) return address;
  const socket = createSocket({ type: isIPv6(place.host) ? 'udp6' : 'udp4' });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('error', (cause) => {
    reject(new HeddleError('ERR_LISTENER_ADDRESS', `${address} (${messageOf(cause)})`, { cause }));
  });
  socket.bind(0, place.host, resolve);
  await promise;
  const { port } = socket.address();
  await new Promise<void>((closed) => socket.close(closed));
  return formatAddress(place.host, port);
}
