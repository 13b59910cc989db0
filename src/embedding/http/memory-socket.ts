import { Duplex } from 'node:stream';
import { Code, factsOf } from '../../core/base/codes.ts';
import { HeddleError } from '../../core/base/errors.ts';
import type { ByteEngine, DetachedWire, Peer, Wire } from '../../core/contract/wire.ts';

const highWaterBytes = 64 * 1024;
const inProcessPeer: Peer = {
  address: 'in-process',
  port: 0,
  spiffeId: null,
  certificateSha256: null,
  serverName: null,
};

/** Counts connections that may hold the process open, as sockets do. */
export interface Holder {
  hold(): void;
  letGo(): void;
}

/**
 * A connection without a kernel: towards the program a stream with the methods of a socket that HTTP clients call,
 * towards the mesh a Wire.
 *
 *   program  write -> _write -> engine.onBytes                 (later, when the engine is writing)
 *   program  'data' <- push <- #waiting <- wire.write <- engine (later, when the program is writing)
 *
 * Neither side is ever called from within its own call, as with a socket.
 */
export class MemorySocket extends Duplex {
  readonly wire: MemoryWire;
  readonly connecting = false;
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 0;
  readonly remoteFamily = 'IPv4';
  readonly localAddress = '127.0.0.1';
  readonly localPort = 0;
  timeout = 0;
  bytesRead = 0;
  bytesWritten = 0;
  readonly #holder: Holder;
  #holds = true;
  #timer: NodeJS.Timeout | null = null;
  #isFull = false;
  /** Bytes of the mesh that the program has no room for. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #isEnding = false;
  #isBusy = false;
  #isFeeding = false;
  #written: (() => void) | null = null;

  constructor(holder: Holder) {
    super({ allowHalfOpen: true, highWaterMark: highWaterBytes });
    this.#holder = holder;
    holder.hold();
    this.wire = new MemoryWire(this);
  }

  // ---- the methods of a socket -----------------------------------------------------------------------------------

  setTimeout(timeoutMs: number, callback?: () => void): this {
    this.timeout = timeoutMs;
    if (callback !== undefined) {
      if (timeoutMs > 0) this.once('timeout', callback);
      else this.removeListener('timeout', callback);
    }
    this.#clearTimer();
    this.#active();
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    if (!this.#holds && !this.destroyed) {
      this.#holds = true;
      this.#holder.hold();
    }
    return this;
  }

  unref(): this {
    if (this.#holds) {
      this.#holds = false;
      this.#holder.letGo();
    }
    return this;
  }

  address(): { address: string; family: string; port: number } {
    return { address: this.localAddress, family: this.remoteFamily, port: 0 };
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  resetAndDestroy(): this {
    return this.destroy();
  }

  // ---- the program's side ----------------------------------------------------------------------------------------

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#active();
    this.bytesWritten += chunk.length;
    if (this.#isBusy) process.nextTick(() => this.#deliver(chunk, callback));
    else this.#deliver(chunk, callback);
  }

  #deliver(chunk: Buffer, callback: (error?: Error | null) => void): void {
    if (this.destroyed) {
      callback();
      return;
    }
    this.#isBusy = true;
    this.wire.deliver(chunk);
    this.#isBusy = false;
    if (this.#waiting.length > 0 || this.#isEnding) process.nextTick(() => this.#feed());
    if (this.wire.isPaused) this.#written = callback;
    else callback();
  }

  override _final(callback: (error?: Error | null) => void): void {
    process.nextTick(() => {
      if (!this.destroyed) this.wire.engine?.onEnd();
      callback();
    });
  }

  override _read(): void {
    this.#isFull = false;
    if (this.#isFeeding || this.#waiting.length === 0) return;
    process.nextTick(() => this.#feed());
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#clearTimer();
    this.unref();
    this.#waiting = [];
    this.#waitingBytes = 0;
    const written = this.#written;
    this.#written = null;
    callback(error);
    written?.();
    process.nextTick(() => this.wire.gone());
  }

  // ---- the mesh's side -------------------------------------------------------------------------------------------

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** @internal From the wire. */
  offer(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (!this.#isBusy) this.#feed();
  }

  /** @internal */
  offerEnd(): void {
    this.#isEnding = true;
    if (!this.#isBusy) this.#feed();
  }

  /** @internal */
  resumeWrites(): void {
    const written = this.#written;
    this.#written = null;
    if (written !== null) process.nextTick(written);
  }

  #feed(): void {
    if (this.destroyed || this.#isFeeding) return;
    // What the program does because of these bytes reaches the mesh on a later tick.
    const wasBusy = this.#isBusy;
    this.#isBusy = this.#isFeeding = true;
    while (this.#waiting.length > 0 && !this.#isFull && !this.destroyed) {
      const bytes = this.#waiting.shift() as Buffer;
      this.#waitingBytes -= bytes.length;
      this.bytesRead += bytes.length;
      this.#active();
      if (!this.push(bytes)) this.#isFull = true;
    }
    this.#isBusy = wasBusy;
    this.#isFeeding = false;
    if (this.destroyed || this.#waiting.length > 0) return;
    if (this.#isEnding && !this.readableEnded) {
      this.#isEnding = false;
      this.push(null);
    }
    if (this.wire.wantsDrain) process.nextTick(() => this.wire.drained());
  }

  #active(): void {
    if (this.timeout <= 0 || this.destroyed) return;
    if (this.#timer !== null) this.#timer.refresh();
    else {
      this.#timer = setTimeout(() => this.emit('timeout'), this.timeout);
      this.#timer.unref();
    }
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** The mesh's end of a MemorySocket. */
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
  readonly #socket: MemorySocket;
  #code: number = Code.none;
  #isEnded = false;
  #isGone = false;

  constructor(socket: MemorySocket) {
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
