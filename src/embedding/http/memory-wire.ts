import { Code, factsOf } from '../../core/base/codes.ts';
import { HeddleError } from '../../core/base/errors.ts';
import type { ByteEngine, DetachedWire, Peer, Wire } from '../../core/contract/wire.ts';

/** What either side may be ahead of the other before it is told to wait. */
export const highWaterBytes: number = 64 * 1024;
const inProcessPeer: Peer = {
  address: 'in-process',
  port: 0,
  spiffeId: null,
  certificateSha256: null,
  serverName: null,
};

/** The program's end, as its wire sees it. */
export interface MemoryEnd {
  readonly destroyed: boolean;
  /** Bytes of the mesh that the program has no room for. */
  readonly waitingBytes: number;
  /** The program gets `bytes`, which stay as they are, once it has room. */
  offer(bytes: Buffer): void;
  offerEnd(): void;
  /** The mesh reads again: a write of the program that waits is over. */
  resumeWrites(): void;
  destroy(error?: Error): void;
}

/** The mesh's end of a connection without a kernel. */
export class MemoryWire implements Wire {
  readonly kind = 'memory' as const;
  readonly peer: Peer = inProcessPeer;
  readonly localAddress = 'in-process';
  readonly ownsReads = true;
  readonly highWaterBytes: number = highWaterBytes;
  readonly isConnecting = false;
  readonly canDetach = false;
  bytesRead = 0;
  bytesWritten = 0;
  isPaused = false;
  wantsDrain = false;
  engine: ByteEngine | null = null;
  readonly #socket: MemoryEnd;
  #code: number = Code.none;
  #isEnded = false;
  #isGone = false;

  constructor(socket: MemoryEnd) {
    this.#socket = socket;
  }

  get pending(): number {
    return this.#socket.waitingBytes;
  }

  attach(engine: ByteEngine): void {
    this.engine = engine;
  }

  write(buf: Buffer, start: number, end: number): boolean {
    if (this.#isGone || start === end) return true;
    this.bytesWritten += end - start;
    // A copy: the writer uses its slab again once nothing is pending, the program keeps what it got.
    this.#socket.offer(Buffer.from(buf.subarray(start, end)));
    if (this.pending <= highWaterBytes) return true;
    this.wantsDrain = true;
    return false;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.#socket.resumeWrites();
  }

  end(): void {
    this.#isEnded = true;
    this.#socket.offerEnd();
  }

  destroy(code: number): void {
    if (this.#code === Code.none) this.#code = code;
    if (this.#isEnded) {
      process.nextTick(() => this.#socket.destroy());
      return;
    }
    const facts = factsOf(code);
    this.fail(new HeddleError(facts.error, facts.name, { context: { reason: facts.name } }));
  }

  /** Ends the connection: the program sees `error`. */
  fail(error: HeddleError): void {
    if (this.#socket.destroyed) return;
    // Not within the program's own call, as with a socket.
    process.nextTick(() => this.#socket.destroy(error));
  }

  detach(): DetachedWire {
    throw new HeddleError('ERR_BUG', 'detach of an in-process connection');
  }

  /** @internal */
  deliver(chunk: Buffer): void {
    this.bytesRead += chunk.length;
    this.engine?.onBytes(chunk, 0, chunk.length);
  }

  /** @internal */
  drained(): void {
    if (!this.wantsDrain || this.pending > 0 || this.#isGone) return;
    this.wantsDrain = false;
    this.engine?.onDrain();
  }

  /** @internal The program has closed, or the mesh. */
  gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.engine?.onClose(this.#code === Code.none ? Code.downstreamClosed : this.#code);
  }
}
