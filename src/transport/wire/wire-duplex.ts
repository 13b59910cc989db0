import { Duplex } from 'node:stream';
import { factsOf } from '../../core/base/codes.ts';
import { HeddleError } from '../../core/base/errors.ts';
import type { ByteEngine, Wire } from '../../core/contract/wire.ts';

/** A wire as a Node stream, with back-pressure and half-close both ways: for programs that speak their own protocol on it. */
export class WireDuplex extends Duplex implements ByteEngine {
  readonly wire: Wire;
  #written: ((error?: Error | null) => void) | null = null;
  #isOver = false;
  #hasEnd = false;

  constructor(wire: Wire) {
    super({ allowHalfOpen: true, emitClose: true });
    this.wire = wire;
    wire.attach(this);
  }

  onConnect(): void {
    this.emit('connect');
  }

  onBytes(buf: Buffer, start: number, end: number): void {
    const bytes = this.wire.ownsReads ? buf.subarray(start, end) : Buffer.from(buf.subarray(start, end));
    if (!this.push(bytes)) this.wire.pause();
  }

  onDrain(): void {
    const written = this.#written;
    this.#written = null;
    written?.();
  }

  onEnd(): void {
    this.#hasEnd = true;
    this.push(null);
  }

  onClose(code: number): void {
    this.#isOver = true;
    // Both sides have ended: what is not read yet is still to be had, and reading it ends the stream.
    if (this.writableEnded && this.#hasEnd) {
      if (this.readableEnded) this.destroy();
    } else {
      const facts = factsOf(code);
      this.destroy(new HeddleError(facts.error, facts.name, { context: { reason: facts.name } }));
    }
  }

  override _read(): void {
    if (!this.#isOver) this.wire.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.wire.write(chunk, 0, chunk.length)) callback();
    else this.#written = callback;
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.wire.end();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#isOver) this.wire.destroy(0);
    callback(error);
  }
}
