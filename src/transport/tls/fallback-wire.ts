import { Code } from '../../core/base/codes.ts';
import { HeddleError } from '../../core/base/errors.ts';
import type { ByteEngine, DetachedWire, Peer, Wire } from '../../core/contract/wire.ts';

/**
 * A wire that is dialled with TLS and, where the host does not speak it, once more in plain text. What was written
 * before either was connected is written again.
 */
export class FallbackWire implements Wire, ByteEngine {
  readonly #dialPlain: () => Wire;
  /** Whether the host answered, but not in TLS. */
  readonly #isPlainHost: () => boolean;
  #wire: Wire;
  #engine: ByteEngine | null = null;
  /** Null once it is connected. */
  #written: Buffer[] | null = [];
  #isPlain = false;
  #isPaused = false;
  #isEnded = false;

  constructor(first: Wire, isPlainHost: () => boolean, dialPlain: () => Wire) {
    this.#wire = first;
    this.#isPlainHost = isPlainHost;
    this.#dialPlain = dialPlain;
  }

  get kind(): Wire['kind'] {
    return this.#wire.kind;
  }

  get peer(): Peer {
    return this.#wire.peer;
  }

  get localAddress(): string {
    return this.#wire.localAddress;
  }

  /** Which of the two it will be is not known when a codec asks. */
  get ownsReads(): boolean {
    return false;
  }

  get pending(): number {
    return this.#wire.pending;
  }

  get highWaterBytes(): number {
    return this.#wire.highWaterBytes;
  }

  get isConnecting(): boolean {
    return this.#wire.isConnecting;
  }

  get bytesRead(): number {
    return this.#wire.bytesRead;
  }

  get bytesWritten(): number {
    return this.#wire.bytesWritten;
  }

  get canDetach(): boolean {
    return false;
  }

  attach(engine: ByteEngine): void {
    const isFirst = this.#engine === null;
    this.#engine = engine;
    if (isFirst) this.#wire.attach(this);
  }

  write(buf: Buffer, start: number, end: number): boolean {
    this.#written?.push(buf.subarray(start, end));
    return this.#wire.write(buf, start, end);
  }

  pause(): void {
    this.#isPaused = true;
    this.#wire.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#wire.resume();
  }

  end(): void {
    this.#isEnded = true;
    this.#wire.end();
  }

  destroy(code: number): void {
    this.#written = null;
    this.#wire.destroy(code);
  }

  detach(): DetachedWire {
    throw new HeddleError('ERR_BUG', 'detach of a dialled wire');
  }

  onConnect(): void {
    this.#written = null;
    this.#engine?.onConnect?.();
  }

  onBytes(buf: Buffer, start: number, end: number): void {
    this.#engine?.onBytes(buf, start, end);
  }

  onDrain(): void {
    this.#engine?.onDrain();
  }

  onEnd(): void {
    this.#engine?.onEnd();
  }

  onClose(code: number): void {
    const written = this.#written;
    if (written === null || this.#isPlain || code === Code.connectTimeout || !this.#isPlainHost()) {
      this.#engine?.onClose(code);
      return;
    }
    this.#isPlain = true;
    this.#wire = this.#dialPlain();
    this.#wire.attach(this);
    for (const each of written) this.#wire.write(each, 0, each.length);
    if (this.#isPaused) this.#wire.pause();
    if (this.#isEnded) this.#wire.end();
  }
}
