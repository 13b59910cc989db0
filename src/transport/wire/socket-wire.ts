import type { Socket } from 'node:net';
import { Code } from '../../core/base/codes.ts';
import { HeddleError } from '../../core/base/errors.ts';
import type { ByteEngine, DetachedWire, Peer, Wire } from '../../core/contract/wire.ts';
import { formatAddress, plainAddress } from './address.ts';
import {
  type OwnedSocket,
  onClose,
  onConnect,
  onData,
  onDrain,
  onEnd,
  onError,
  onSecure,
  own,
  type SocketOwner,
} from './socket-events.ts';
import { readPeer } from './socket-peer.ts';
import { WriteQueue } from './write-queue.ts';

/** Node's default high-water mark of a socket; our queue feeds it below this only. */
const highWaterBytes = 64 * 1024;
const nothing: Buffer = Buffer.alloc(0);

/** What waits for the TLS handshake of an accepted connection. */
export interface Greeting {
  secured(): void;
  /** The socket failed; 'close' follows. */
  broke(error: NodeJS.ErrnoException): void;
  closed(): void;
}

/** Bits of the wire's state. */
const connecting = 1;
const attached = 2;
const paused = 4;
const wantsDrain = 8;
const drainListened = 16;
const ending = 32;
const peerEnded = 64;
const closed = 128;
const detached = 256;
const held = 512;

export type SocketRole = 'accepted' | 'dialled';

/**
 * A TCP or unix socket as a Wire.
 *
 *   write -> straight to the socket while it is below its high-water mark, else #queue
 *   'drain' -> #feed: the queue goes on, below the mark again
 *
 * Accepted sockets read by 'data' (bytes are owned), dialled ones by `onread` into a buffer that all of them share
 * (bytes are borrowed). Errors never throw: they end in `onClose(code)`.
 */
export class SocketWire implements Wire, SocketOwner {
  readonly kind: 'tcp' | 'unix' | 'tls';
  readonly ownsReads: boolean;
  bytesWritten = 0;
  readonly #socket: OwnedSocket;
  readonly #isDialled: boolean;
  #engine: ByteEngine | null = null;
  #state: number;
  #code: number = Code.none;
  #peer: Peer | null = null;
  #queue: WriteQueue | null = null;
  #flushed: (() => void) | null = null;
  #greeting: Greeting | null = null;

  /** @param peer of the socket below a TLS socket, which forgets it when it closes */
  constructor(socket: Socket, kind: SocketWire['kind'], role: SocketRole, peer: Peer | null = null) {
    this.kind = kind;
    this.#isDialled = role === 'dialled';
    this.ownsReads = !this.#isDialled || kind === 'tls';
    this.#peer = peer;
    this.#state = role === 'dialled' ? connecting : 0;
    this.#socket = socket as OwnedSocket;
    own(socket, this);
    socket.on('error', onError);
    socket.on('close', onClose);
    if (!this.#isDialled) return;
    socket.on(kind === 'tls' ? 'secureConnect' : 'connect', onConnect);
    // An idle connection of a pool holds no process open; who waits for an answer does so itself.
    socket.unref();
  }

  /** @internal for what makes handshakes on it */
  get socket(): Socket {
    return this.#socket;
  }

  /**
   * Tells `greeting` how the handshake of an accepted TLS socket goes, null: no longer. On the listeners that are there
   * anyway: three of its own, added and removed, cost a connection 2 us.
   *
   * @internal
   */
  greet(greeting: Greeting | null): void {
    if (this.#greeting === null && greeting !== null) this.#socket.on('secure', onSecure);
    this.#greeting = greeting;
  }

  get highWaterBytes(): number {
    return highWaterBytes;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get pending(): number {
    const unsent = this.#socket.writableLength;
    return this.#queue === null ? unsent : this.#queue.sizeBytes + unsent;
  }

  get isConnecting(): boolean {
    return (this.#state & connecting) !== 0;
  }

  get peer(): Peer {
    this.#peer ??= readPeer(this.#socket, this.kind);
    return this.#peer;
  }

  /** Tells more of who is at the other end: what a TLS handshake found out. */
  identify(peer: Peer): void {
    this.#peer = peer;
  }

  get localAddress(): string {
    if (this.kind === 'unix' || this.#peer?.address === 'unix') return 'unix';
    return formatAddress(plainAddress(this.#socket.localAddress ?? ''), this.#socket.localPort ?? 0);
  }

  get canDetach(): boolean {
    if (this.kind === 'tls' || this.#isDialled) return false;
    return (this.#state & (connecting | ending | peerEnded | closed | detached)) === 0;
  }

  attach(engine: ByteEngine): void {
    const isFirst = (this.#state & attached) === 0;
    this.#engine = engine;
    this.#state |= attached;
    if ((this.#state & closed) !== 0) {
      process.nextTick(announceClose, engine, this.#closeCode());
      return;
    }
    if (!isFirst) return;
    this.#socket.on('end', onEnd);
    if (this.ownsReads) this.#socket.on('data', onData);
    // A socket that another wire let go of was paused there.
    if ((this.#state & paused) === 0 && this.#socket.isPaused()) this.#socket.resume();
  }

  write(buf: Buffer, start: number, end: number): boolean {
    if ((this.#state & (closed | ending | detached)) !== 0 || this.#code !== Code.none) return true;
    if (start === end) return true;
    const view = start === 0 && end === buf.length ? buf : buf.subarray(start, end);
    this.bytesWritten += end - start;
    const socket = this.#socket;
    if (this.#queue === null && (this.#state & connecting) === 0 && socket.writableLength < highWaterBytes) {
      socket.write(view);
      if (socket.writableLength <= highWaterBytes) return true;
    } else {
      this.#queue ??= new WriteQueue();
      this.#queue.push(view);
      this.#listenDrain();
      if (this.pending <= highWaterBytes) return true;
    }
    this.#state |= wantsDrain;
    this.#listenDrain();
    return false;
  }

  pause(): void {
    this.#state |= paused;
    this.#socket.pause();
  }

  resume(): void {
    if ((this.#state & (closed | detached)) !== 0) return;
    this.#state &= ~paused;
    if ((this.#state & held) === 0) this.#socket.resume();
  }

  /** For a hand-over: nothing is read until `release`, whatever the codec asks; what runs can finish. */
  hold(): void {
    this.#state |= held;
    this.#socket.pause();
  }

  release(): void {
    this.#state &= ~held;
    if ((this.#state & (closed | detached | paused)) === 0) this.#socket.resume();
  }

  end(): void {
    if ((this.#state & (closed | ending | detached)) !== 0) return;
    this.#state |= ending;
    if (this.#queue === null && (this.#state & connecting) === 0) this.#socket.end();
  }

  destroy(code: number): void {
    if ((this.#state & (closed | detached)) !== 0) return;
    if (this.#code === Code.none) this.#code = code;
    this.#socket.destroy();
  }

  reset(code: number): void {
    if ((this.#state & (closed | detached)) !== 0) return;
    if (this.#code === Code.none) this.#code = code;
    if (this.kind === 'tcp') this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  detach(): DetachedWire {
    if (!this.canDetach || this.pending !== 0) {
      throw new HeddleError('ERR_BUG', `detach of a ${this.kind} wire with ${this.pending} bytes pending`);
    }
    this.#state |= detached;
    const socket = this.#socket;
    socket.off('data', onData);
    socket.off('end', onEnd);
    socket.off('drain', onDrain);
    socket.off('close', onClose);
    // 'error' stays: the handle may fail before its new owner listens.
    socket.pause();
    this.#engine = null;
    return { handle: socket, unread: takeUnread(socket), state: null };
  }

  received(buf: Buffer, sizeBytes: number): boolean {
    if ((this.#state & (closed | detached)) !== 0 || this.#code !== Code.none) return false;
    (this.#engine as ByteEngine).onBytes(buf, 0, sizeBytes);
    return (this.#state & paused) === 0;
  }

  connected(): void {
    this.#state &= ~connecting;
    if ((this.#state & paused) !== 0) this.#socket.pause();
    this.#engine?.onConnect?.();
    this.feed();
  }

  /** Passes the queue on while the socket is below its mark. */
  feed(): void {
    if ((this.#state & (closed | detached)) !== 0) return;
    const queue = this.#queue;
    if (queue !== null) {
      const reports = (this.#state & wantsDrain) !== 0 ? this.#whenFlushed() : null;
      if (!queue.feed(this.#socket, highWaterBytes, reports)) return;
      this.#queue = null;
    }
    if ((this.#state & ending) !== 0) this.#socket.end();
    if ((this.#state & wantsDrain) === 0 || this.pending !== 0) return;
    this.#state &= ~wantsDrain;
    this.#engine?.onDrain();
  }

  ended(): void {
    if ((this.#state & (closed | detached | peerEnded)) !== 0) return;
    this.#state |= peerEnded;
    this.#engine?.onEnd();
  }

  secured(): void {
    this.#greeting?.secured();
  }

  failed(error: NodeJS.ErrnoException): void {
    this.#greeting?.broke(error);
    if ((this.#state & connecting) !== 0 || this.#code !== Code.none) return;
    this.#code = this.#isDialled ? Code.upstreamReset : Code.downstreamClosed;
  }

  gone(): void {
    if ((this.#state & closed) !== 0) return;
    this.#state |= closed;
    this.#queue = null;
    this.#greeting?.closed();
    const engine = this.#engine;
    // A closed TLS socket lives until the next full collection, as minor ones keep the handle that OpenSSL's state hangs
    // on: it must not keep codec, stream and peer (8 KiB a connection, copied twice) alive as well.
    this.#engine = this.#greeting = null;
    own(this.#socket, null);
    engine?.onClose(this.#closeCode());
  }

  #closeCode(): number {
    if (this.#code !== Code.none) return this.#code;
    if (!this.#isDialled) return Code.downstreamClosed;
    return (this.#state & connecting) === 0 ? Code.upstreamClosed : Code.connectFailure;
  }

  #whenFlushed(): () => void {
    this.#flushed ??= () => this.feed();
    return this.#flushed;
  }

  #listenDrain(): void {
    if ((this.#state & drainListened) !== 0) return;
    this.#state |= drainListened;
    this.#socket.on('drain', onDrain);
  }
}

/** The bytes that a paused socket has read already. Reading starts again: destroy it or attach a wire within the same turn. */
function takeUnread(socket: Socket): Buffer {
  return (socket.read() as Buffer | null) ?? nothing;
}

function announceClose(engine: ByteEngine, code: number): void {
  engine.onClose(code);
}
