import type { Socket } from 'node:net';

/** What hears the events of one socket. */
export interface SocketOwner {
  /** @returns false: no more now */
  received(buf: Buffer, sizeBytes: number): boolean;
  /** The socket takes more. */
  feed(): void;
  ended(): void;
  failed(error: NodeJS.ErrnoException): void;
  secured(): void;
  gone(): void;
  connected(): void;
}

/** The socket knows its owner, so that all sockets share one function per event: no closure per connection. */
const ownerOf = Symbol('heddle.owner');
export interface OwnedSocket extends Socket {
  /** Null once it is closed. */
  [ownerOf]: SocketOwner | null;
}

/** Gives the socket to `owner`, or to nobody. */
export function own(socket: Socket, owner: SocketOwner | null): void {
  (socket as OwnedSocket)[ownerOf] = owner;
}

/** Bytes for a dialled socket: the shared `onread` callback. */
export function onSharedRead(socket: Socket, sizeBytes: number, buf: Buffer): boolean {
  return (socket as OwnedSocket)[ownerOf]?.received(buf, sizeBytes) ?? false;
}

export function onData(this: OwnedSocket, chunk: Buffer): void {
  this[ownerOf]?.received(chunk, chunk.length);
}

export function onDrain(this: OwnedSocket): void {
  this[ownerOf]?.feed();
}

export function onEnd(this: OwnedSocket): void {
  this[ownerOf]?.ended();
}

export function onError(this: OwnedSocket, error: NodeJS.ErrnoException): void {
  this[ownerOf]?.failed(error);
}

export function onSecure(this: OwnedSocket): void {
  this[ownerOf]?.secured();
}

export function onClose(this: OwnedSocket): void {
  this[ownerOf]?.gone();
}

export function onConnect(this: OwnedSocket): void {
  this[ownerOf]?.connected();
}
