import type { Socket } from 'node:net';
import type { Peer } from '../../core/contract/wire.ts';
import { plainAddress } from './address.ts';

/** Who is at the other end of a socket. Our own port costs a system call, so it is asked for when somebody reads it. */
export class SocketPeer implements Peer {
  readonly address: string;
  readonly port: number;
  readonly spiffeId: null = null;
  readonly certificateSha256: null = null;
  readonly serverName: null = null;
  readonly #socket: Socket;

  constructor(socket: Socket, address: string, port: number) {
    this.address = address;
    this.port = port;
    this.#socket = socket;
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }
}

/** Who is at the other end of a socket. @param kind "unix" sockets have no address */
export function readPeer(socket: Socket, kind: 'tcp' | 'unix' | 'tls'): Peer {
  const address = kind === 'unix' ? 'unix' : plainAddress(socket.remoteAddress ?? '');
  return new SocketPeer(socket, address, socket.remotePort ?? 0);
}
