import { Code } from '../core/base/codes.ts';
import { HeddleError } from '../core/base/errors.ts';
import type { ByteEngine, DetachedWire, Peer, Wire, WireState } from '../core/contract/wire.ts';
import type { MemoryPort, MemorySide } from './memory-link.ts';

const memoryPeer: Peer = {
  address: '127.0.0.1',
  port: 40_000,
  spiffeId: null,
  certificateSha256: null,
  serverName: null,
};

export interface MemoryWireOptions {
  /** False: bytes come in a buffer that is filled with 0xDD once `onBytes` returns. */
  readonly ownsReads: boolean;
  readonly highWaterBytes: number;
}

/** One end of a memory link as a Wire. All events come from the link's turns, never from inside a call. */
export class MemoryWire implements Wire {
  readonly kind = 'memory' as const;
  readonly peer: Peer = memoryPeer;
  readonly localAddress = '127.0.0.1:80';
  readonly ownsReads: boolean;
  readonly highWaterBytes: number;
  bytesRead = 0;
  bytesWritten = 0;
  /** For assertions: what happened to it. */
  isPaused = false;
  isEnded = false;
  isClosed = false;
  closeCode: number = Code.none;
  readonly port: MemoryPort;
  #engine: ByteEngine | null = null;
  #wantsDrain = false;
  #isDetached = false;
  #isConnecting = false;
  #isAnnounced = false;

  constructor(port: MemoryPort, options: MemoryWireOptions, isConnecting = false) {
    this.port = port;
    this.ownsReads = options.ownsReads;
    this.highWaterBytes = options.highWaterBytes;
    this.#isConnecting = isConnecting;
    port.wire = this;
  }

  get side(): MemorySide {
    return this.port.side;
  }

  get pending(): number {
    return this.port.queuedBytes;
  }

  get isConnecting(): boolean {
    return this.#isConnecting;
  }

  get canDetach(): boolean {
    return (
      !this.#isConnecting && !this.isClosed && !this.isEnded && !this.port.peerEnded && !this.#isDetached
    );
  }

  /** Whether the link may deliver to this end now. */
  get takesBytes(): boolean {
    return this.#engine !== null && !this.isPaused && !this.isClosed && !this.#isDetached;
  }

  attach(engine: ByteEngine): void {
    this.#engine = engine;
  }

  write(buf: Buffer, start: number, end: number): boolean {
    if (this.isClosed || this.isEnded || this.#isDetached) return true;
    this.bytesWritten += end - start;
    this.port.accept(buf, start, end, this.#isConnecting);
    if (this.pending <= this.highWaterBytes) return true;
    this.#wantsDrain = true;
    return false;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    if (this.isClosed) return;
    this.isEnded = true;
  }

  destroy(code: number): void {
    if (this.isClosed || this.#isDetached) return;
    this.isClosed = true;
    this.closeCode = code;
    this.port.dropQueue();
  }

  reset(code: number): void {
    if (this.isClosed || this.#isDetached) return;
    const other = this.port.other;
    other?.dropArrived();
    other?.wire?.close(other.side === 'accepted' ? Code.downstreamClosed : Code.upstreamReset);
    this.destroy(code);
  }

  detach(): DetachedWire {
    if (!this.canDetach || this.pending !== 0) {
      throw new HeddleError('ERR_BUG', `detach of a memory wire with ${this.pending} bytes pending`);
    }
    this.#isDetached = true;
    this.#engine = null;
    this.port.wire = null;
    return { handle: this.port, unread: this.port.takeArrived(), state: null as WireState | null };
  }

  /** @internal By the link. */
  connect(): void {
    if (!this.#isConnecting) return;
    this.#isConnecting = false;
    this.#engine?.onConnect?.();
    this.port.transmit();
    this.drainIfEmpty();
  }

  /** @internal */
  deliver(bytes: Buffer): void {
    this.bytesRead += bytes.length;
    if (this.ownsReads) {
      this.#engine?.onBytes(bytes, 0, bytes.length);
      return;
    }
    // An odd offset in a larger buffer, so that codecs cannot rely on 0.
    const borrowed = Buffer.alloc(bytes.length + 7, 0xdd);
    bytes.copy(borrowed, 3);
    this.#engine?.onBytes(borrowed, 3, 3 + bytes.length);
    borrowed.fill(0xdd);
  }

  /** @internal */
  drainIfEmpty(): void {
    if (!this.#wantsDrain || this.pending !== 0 || this.isClosed) return;
    this.#wantsDrain = false;
    this.#engine?.onDrain();
  }

  /** @internal */
  peerEnd(): void {
    this.#engine?.onEnd();
  }

  /** @internal The connection is gone from outside, or both sides ended. */
  close(code: number): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.closeCode = code;
    this.port.dropQueue();
  }

  /** @internal Delivers the close once; true when it did. */
  announceClose(): boolean {
    if (!this.isClosed || this.#isAnnounced || this.#engine === null) return false;
    this.#isAnnounced = true;
    this.#engine.onClose(this.closeCode);
    return true;
  }
}
