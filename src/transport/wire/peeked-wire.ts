import { HeddleError } from '../../core/base/errors.ts';
import type { ByteEngine, DetachedWire, Peer, Wire } from '../../core/contract/wire.ts';

const nothing: Buffer = Buffer.alloc(0);

/** What was found out about a connection before its protocol began. */
export interface Peeked {
  readonly peer: Peer;
  readonly localAddress: string;
  /** Bytes that were read and belong to the protocol: `buf[start, end)`. */
  readonly buf: Buffer;
  readonly start: number;
  readonly end: number;
  /** The peer sent FIN behind them. */
  readonly isEnded: boolean;
}

/**
 * A wire of which the first bytes were looked at. `replay` gives them to the engine; what comes later goes from the
 * wire below to the engine without a stop here.
 */
export class PeekedWire implements Wire {
  readonly kind: Wire['kind'];
  readonly peer: Peer;
  readonly localAddress: string;
  readonly #below: Wire;
  readonly #isImpersonated: boolean;
  #engine: ByteEngine | null = null;
  #buf: Buffer;
  #start: number;
  #end: number;
  #isEnded: boolean;
  #isReplayed = false;
  #isPaused = false;

  constructor(below: Wire, peeked: Peeked) {
    this.kind = below.kind;
    this.peer = peeked.peer;
    this.localAddress = peeked.localAddress;
    this.#isImpersonated = peeked.peer !== below.peer;
    this.#below = below;
    this.#buf = peeked.buf;
    this.#start = peeked.start;
    this.#end = peeked.end;
    this.#isEnded = peeked.isEnded;
  }

  get ownsReads(): boolean {
    return this.#below.ownsReads;
  }

  get pending(): number {
    return this.#below.pending;
  }

  get highWaterBytes(): number {
    return this.#below.highWaterBytes;
  }

  get isConnecting(): boolean {
    return this.#below.isConnecting;
  }

  get bytesRead(): number {
    return this.#below.bytesRead;
  }

  get bytesWritten(): number {
    return this.#below.bytesWritten;
  }

  /** The next process would see the socket's own peer again. */
  get canDetach(): boolean {
    return this.#below.canDetach && !this.#isImpersonated && this.#start === this.#end && !this.#isEnded;
  }

  attach(engine: ByteEngine): void {
    this.#engine = engine;
    this.#below.attach(engine);
  }

  /** Delivers what was read before; call it once, after `attach`, outside of the engine. */
  replay(): void {
    this.#isReplayed = true;
    if (this.#isPaused) return;
    this.#deliver();
    if (!this.#isPaused) this.#below.resume();
  }

  write(buf: Buffer, start: number, end: number): boolean {
    return this.#below.write(buf, start, end);
  }

  pause(): void {
    this.#isPaused = true;
    this.#below.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#start === this.#end && !this.#isEnded) this.#below.resume();
    // Not from inside the engine that asks for it.
    else if (this.#isReplayed) queueMicrotask(() => this.#isPaused || this.replay());
  }

  end(): void {
    this.#below.end();
  }

  destroy(code: number): void {
    this.#buf = nothing;
    this.#start = this.#end = 0;
    this.#isEnded = false;
    this.#below.destroy(code);
  }

  reset(code: number): void {
    if (this.#below.reset === undefined) this.destroy(code);
    else this.#below.reset(code);
  }

  detach(): DetachedWire {
    if (!this.canDetach) throw new HeddleError('ERR_BUG', 'detach of a wire with bytes that were peeked at');
    return this.#below.detach();
  }

  #deliver(): void {
    const { length } = this.#buf;
    const [buf, start, end] = [this.#buf, this.#start, this.#end];
    this.#buf = nothing;
    this.#start = this.#end = 0;
    if (end > start && length > 0) this.#engine?.onBytes(buf, start, end);
    if (!this.#isEnded || this.#isPaused) return;
    this.#isEnded = false;
    this.#engine?.onEnd();
  }
}
