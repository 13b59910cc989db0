import { Duplex } from 'node:stream';
import { highWaterBytes, type MemoryEnd, MemoryWire } from './memory-wire.ts';

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
export class MemorySocket extends Duplex implements MemoryEnd {
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

  offer(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (!this.#isBusy) this.#feed();
  }

  offerEnd(): void {
    this.#isEnding = true;
    if (!this.#isBusy) this.#feed();
  }

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
