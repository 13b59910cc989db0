import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock } from '../../core/base/clock.ts';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import type { DatagramHandler } from '../../core/contract/network-filter.ts';
import type { Peer } from '../../core/contract/wire.ts';
import { formatAddress, parseAddress, plainAddress } from '../wire/address.ts';
import { noProblem } from './datagram-socket.ts';

/**
 * Replies that the kernel has not taken; above it they are lost, as datagrams are. It bounds what a client can make us
 * hold by asking for large answers.
 */
const maxQueuedBytes = 4 * 1024 * 1024;

/** A UDP address and what is done with the datagrams that come to it. */
export class DatagramListener implements AsyncDisposable {
  readonly name: string;
  readonly #address: string;
  readonly #clock: Clock;
  #handler: DatagramHandler;
  /** Handlers of before a reload, whose sessions go on. */
  readonly #leaving = new Set<DatagramHandler>();
  #socket: Socket | null = null;
  #boundTo = '';

  /** @param address "host:port"; port 0 picks a free one */
  constructor(name: string, address: string, handler: DatagramHandler, clock: Clock) {
    this.name = name;
    this.#address = address;
    this.#handler = handler;
    this.#clock = clock;
  }

  get address(): string {
    return this.#boundTo;
  }

  get connectionCount(): number {
    let sum = this.#handler.sessions;
    for (const handler of this.#leaving) sum += handler.sessions;
    return sum;
  }

  /**
   * @param shared "host:port" that other processes receive on as well, each the datagrams of other clients
   * @throws HeddleError ERR_LISTENER_ADDRESS
   */
  async start(shared: string | null = null): Promise<this> {
    const address = parseAddress(shared ?? this.#address);
    if (address.kind === 'unix') {
      throw new HeddleError('ERR_LISTENER_ADDRESS', `${this.#address}: datagrams need "host:port"`);
    }
    const socket = createSocket({
      type: isIPv6(address.host) ? 'udp6' : 'udp4',
      reusePort: shared !== null,
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once('error', (cause) =>
      reject(new HeddleError('ERR_LISTENER_ADDRESS', `${this.#address} (${messageOf(cause)})`, { cause })),
    );
    socket.bind(address.port, address.host, resolve);
    await promise;
    // A client that is gone answers with an ICMP error: none of ours.
    socket.removeAllListeners('error').on('error', noProblem);
    socket.on('message', (message, from) =>
      this.#handler.received(message, peerOf(from), this.#replyTo(from)),
    );
    const bound = socket.address();
    this.#boundTo = formatAddress(bound.address, bound.port);
    this.#socket = socket;
    return this;
  }

  /** New sessions begin here; those of before have no way in any more and end when they are idle. */
  update(handler: DatagramHandler): void {
    const before = this.#handler;
    this.#handler = handler;
    this.#leaving.add(before);
    before.drain(() => this.#leaving.delete(before));
  }

  /** Lets sessions go on until they are idle, at most for `deadlineMs`. */
  async drain(deadlineMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.setTimer(deadlineMs, resolve);
    this.#handler.drain(resolve);
    await promise;
    timer.cancel();
    await this.close();
  }

  async close(): Promise<void> {
    for (const handler of [this.#handler, ...this.#leaving]) handler.close();
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.close(resolve);
    await promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #replyTo({ address, port }: RemoteInfo): (message: Buffer) => void {
    return (message) => {
      const socket = this.#socket;
      if (socket === null || socket.getSendQueueSize() > maxQueuedBytes) return;
      socket.send(message, port, address, noProblem);
    };
  }
}

function peerOf({ address, port }: RemoteInfo): Peer {
  return {
    address: plainAddress(address),
    port,
    spiffeId: null,
    certificateSha256: null,
    serverName: null,
  };
}
