import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { DatagramEvents, DatagramSocket } from '../../core/contract/network-filter.ts';
import { parseAddress } from '../wire/address.ts';

/** Datagrams that wait until the socket is ready, which takes a turn or two; further ones are lost. */
const maxWaiting = 16;

/** A socket that talks to one address: the kernel drops what others send to it. Host names are looked up once. */
export function openDatagrams(address: string, events: DatagramEvents): DatagramSocket {
  const target = parseAddress(address);
  if (target.kind === 'unix') {
    queueMicrotask(() => events.onError());
    return { send: () => {}, close: () => {} };
  }
  const socket = createSocket(isIPv6(target.host) ? 'udp6' : 'udp4');
  return new ConnectedSocket(socket, target.host, target.port, events);
}

class ConnectedSocket implements DatagramSocket {
  readonly #socket: Socket;
  #waiting: Buffer[] | null = [];
  #isClosed = false;

  constructor(socket: Socket, host: string, port: number, events: DatagramEvents) {
    this.#socket = socket;
    socket.on('message', (message) => events.onMessage(message));
    socket.on('error', () => this.#isClosed || events.onError());
    socket.connect(port, host, () => this.#ready());
  }

  send(message: Buffer): void {
    if (this.#isClosed) return;
    if (this.#waiting === null) this.#socket.send(message, noProblem);
    else if (this.#waiting.length < maxWaiting) this.#waiting.push(message);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting = null;
    this.#socket.close();
  }

  #ready(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const message of waiting) this.send(message);
  }
}

/** A datagram that cannot be sent is one that is lost; a refusal of the peer comes as 'error'. */
export function noProblem(): void {}
