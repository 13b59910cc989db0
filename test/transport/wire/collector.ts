import type { ByteEngine, Wire } from '../../../src/core/contract/wire.ts';

/** Collects what a wire delivers; every kind of event can be awaited. */
export class Collector implements ByteEngine {
  readonly wire: Wire;
  readonly chunks: Buffer[] = [];
  drains = 0;
  ended = false;
  connects = 0;
  closeCodes: number[] = [];
  onChange: () => void = () => {};

  constructor(wire: Wire) {
    this.wire = wire;
    wire.attach(this);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get sizeBytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  onConnect(): void {
    this.connects++;
    this.onChange();
  }

  onBytes(buf: Buffer, start: number, end: number): void {
    this.chunks.push(Buffer.from(buf.subarray(start, end)));
    this.onChange();
  }

  onDrain(): void {
    this.drains++;
    this.onChange();
  }

  onEnd(): void {
    this.ended = true;
    this.onChange();
  }

  onClose(code: number): void {
    this.closeCodes.push(code);
    this.onChange();
  }

  /** Resolves once `isTrue` holds; looked at after each event. */
  async until(isTrue: () => boolean, deadlineMs = 5000): Promise<void> {
    if (isTrue()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(`not within ${deadlineMs} ms: ${isTrue}`)), deadlineMs);
    this.onChange = () => {
      if (isTrue()) resolve();
    };
    await promise.finally(() => clearTimeout(timer));
  }

  write(bytes: Buffer | string): boolean {
    const buf = Buffer.from(bytes);
    return this.wire.write(buf, 0, buf.length);
  }
}
