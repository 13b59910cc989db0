import type { Clock, Timer } from '../../../core/base/clock.ts';
import { Code } from '../../../core/base/codes.ts';
import { HeddleError } from '../../../core/base/errors.ts';
import type { ByteEngine, DetachedWire, Peer, Wire } from '../../../core/contract/wire.ts';

export interface WireFaults {
  /** Each direction; 0: no limit. */
  readonly bytesPerMs: number;
  /** Reset after so long; -1: never. */
  readonly resetMs: number;
  /** Called once, when the wire is gone. */
  ended(): void;
}

/** Waits shorter than this are saved up: a timer is no finer. */
const leastWaitMs = 5;

/**
 * A wire with a slow line, which may break. Bytes pass at once and are paid for afterwards, by not reading and by
 * reporting "full": nothing is held here, and the rate is right over more than one read (64 KiB).
 */
export class FaultyWire implements Wire, ByteEngine {
  readonly kind: Wire['kind'];
  readonly peer: Peer;
  readonly localAddress: string;
  readonly ownsReads: boolean;
  readonly highWaterBytes: number;
  readonly canDetach = false;
  readonly #below: Wire;
  readonly #clock: Clock;
  readonly #faults: WireFaults;
  #engine: ByteEngine | null = null;
  #reset: Timer | null = null;
  #readTimer: Timer | null = null;
  #writeTimer: Timer | null = null;
  #readPaidMs = 0;
  #writePaidMs = 0;
  #isPaused = false;
  /** A write answered false: the engine waits for `onDrain`. */
  #wantsDrain = false;
  /** The wire below has not said `onDrain` yet. */
  #isBelowFull = false;

  constructor(below: Wire, clock: Clock, faults: WireFaults) {
    this.kind = below.kind;
    this.peer = below.peer;
    this.localAddress = below.localAddress;
    this.ownsReads = below.ownsReads;
    this.highWaterBytes = below.highWaterBytes;
    this.#below = below;
    this.#clock = clock;
    this.#faults = faults;
    if (faults.resetMs > 0) this.#reset = clock.setTimer(faults.resetMs, () => this.reset(Code.filterClosed));
  }

  get pending(): number {
    return this.#below.pending;
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

  attach(engine: ByteEngine): void {
    this.#engine = engine;
    this.#below.attach(this);
  }

  write(buf: Buffer, start: number, end: number): boolean {
    const hasRoom = this.#below.write(buf, start, end);
    if (!hasRoom) this.#isBelowFull = this.#wantsDrain = true;
    if (this.#faults.bytesPerMs === 0) return hasRoom;
    this.#writePaidMs = this.#pay(this.#writePaidMs, end - start);
    const waitMs = this.#writePaidMs - this.#clock.now();
    if (waitMs < leastWaitMs) return hasRoom;
    this.#wantsDrain = true;
    this.#writeTimer ??= this.#clock.setTimer(waitMs, () => this.#writePaid());
    return false;
  }

  pause(): void {
    this.#isPaused = true;
    this.#below.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#readTimer === null) this.#below.resume();
  }

  end(): void {
    this.#below.end();
  }

  destroy(code: number): void {
    this.#below.destroy(code);
  }

  reset(code: number): void {
    if (this.#below.reset === undefined) this.#below.destroy(code);
    else this.#below.reset(code);
  }

  detach(): DetachedWire {
    throw new HeddleError('ERR_BUG', 'a wire with faults cannot be moved');
  }

  onBytes(buf: Buffer, start: number, end: number): void {
    this.#engine?.onBytes(buf, start, end);
    if (this.#faults.bytesPerMs === 0) return;
    this.#readPaidMs = this.#pay(this.#readPaidMs, end - start);
    const waitMs = this.#readPaidMs - this.#clock.now();
    if (waitMs < leastWaitMs || this.#readTimer !== null) return;
    this.#below.pause();
    this.#readTimer = this.#clock.setTimer(waitMs, () => {
      this.#readTimer = null;
      if (!this.#isPaused) this.#below.resume();
    });
  }

  onDrain(): void {
    this.#isBelowFull = false;
    this.#drain();
  }

  onEnd(): void {
    this.#engine?.onEnd();
  }

  onClose(code: number): void {
    for (const timer of [this.#reset, this.#readTimer, this.#writeTimer]) timer?.cancel();
    this.#readTimer = this.#writeTimer = null;
    this.#wantsDrain = false;
    this.#faults.ended();
    this.#engine?.onClose(code);
  }

  #writePaid(): void {
    this.#writeTimer = null;
    // Bytes that were written meanwhile, against the answer, are paid for as well.
    const waitMs = this.#writePaidMs - this.#clock.now();
    if (waitMs >= leastWaitMs) this.#writeTimer = this.#clock.setTimer(waitMs, () => this.#writePaid());
    else this.#drain();
  }

  #drain(): void {
    if (!this.#wantsDrain || this.#isBelowFull || this.#writeTimer !== null) return;
    this.#wantsDrain = false;
    this.#engine?.onDrain();
  }

  #pay(paidMs: number, sizeBytes: number): number {
    return Math.max(paidMs, this.#clock.now()) + sizeBytes / this.#faults.bytesPerMs;
  }
}
