import { Code } from '../../../core/base/codes.ts';
import { HeddleError } from '../../../core/base/errors.ts';
import { WheelNode } from '../../../core/base/timer-wheel.ts';
import type { CodecContext, CodecState, Flushable } from '../../../core/contract/codec.ts';
import type { ByteEngine, Wire } from '../../../core/contract/wire.ts';
import type { FramedConfig } from './config.ts';
import { type FrameHandler, FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import type { FramedProtocol, PeerAnnouncement } from './protocol.ts';

const stateVersion = 1;
/** After our FIN: how long a peer may take to close. */
const lingerMs = 2000;
/** The same while it still takes what was sent before. */
const slowLingerMs = 30_000;
/** Unfinished frames up to this size are always borne. */
const spareableBytes = 65_536;

/** The connection below both sides: reading, the queue that leaves once a loop turn, limits, its end, the move. */
export abstract class FramedConnection extends WheelNode implements ByteEngine, Flushable, FrameHandler {
  readonly wire: Wire;
  readonly protocol: FramedProtocol;
  protected readonly context: CodecContext;
  protected readonly config: FramedConfig;
  protected readonly out = new FrameWriter();
  /** What the peer said about itself; null: an ordinary peer. */
  protected peer: PeerAnnouncement | null = null;
  protected isDraining = false;
  protected isClosed = false;
  /** It was dropped from here: nothing that is still on its way counts. */
  protected isBroken = false;
  /** Monotonic ms of the last bytes received. */
  lastReadMs: number;
  readonly #reader: FrameReader;
  /** Since when a frame is unfinished; 0: none is. */
  #partSinceMs = 0;
  #isDirty = false;
  #isEnding = false;
  #endingSinceMs = 0;
  #countedBytes = 0;

  constructor(wire: Wire, context: CodecContext, protocol: FramedProtocol, config: FramedConfig) {
    super();
    this.wire = wire;
    this.context = context;
    this.protocol = protocol;
    this.config = config;
    this.lastReadMs = context.clock.now();
    this.#reader = new FrameReader(protocol, config.maxFrameBytes);
  }

  abstract readonly active: number;
  abstract onFrame(buf: Buffer, start: number, end: number): boolean;
  abstract onLargeFrame(head: Buffer, body: readonly Buffer[], sizeBytes: number): boolean;
  abstract onBadFrame(isTooLarge: boolean): void;
  abstract onDrain(): void;
  abstract onEnd(): void;
  abstract onClose(code: number): void;
  /** Too much waits for the reader. */
  protected abstract overflow(): void;
  protected abstract idleFor(nowMs: number): void;

  onBytes(buf: Buffer, start: number, end: number): void {
    if (this.isClosed || this.isBroken || this.#isEnding) return;
    const now = this.context.clock.now();
    this.lastReadMs = now;
    if (!this.wire.ownsReads) {
      // One copy a read instead of one a frame: patching ids and sending views needs bytes that stay.
      const own = Buffer.allocUnsafeSlow(end - start);
      buf.copy(own, 0, start, end);
      buf = own;
      end -= start;
      start = 0;
    }
    const { clock } = this.context;
    // A read of many frames reads the clock once: two readings a call are 110 ns.
    clock.hold?.();
    try {
      this.#reader.read(buf, start, end, this);
    } finally {
      clock.release?.();
    }
    this.#watchPart(now);
  }

  /** An unfinished frame counts against what the whole mesh may hold; the large ones go first when that is used up. */
  #countPart(sizeBytes: number): void {
    const { budget } = this.context;
    budget.heldBytes += sizeBytes - this.#countedBytes;
    this.#countedBytes = sizeBytes;
    if (sizeBytes > spareableBytes && budget.isExhausted) this.overflow();
  }

  #watchPart(now: number): void {
    const sizeBytes = this.isClosed ? 0 : this.#reader.partBytes;
    if (sizeBytes !== this.#countedBytes) this.#countPart(sizeBytes);
    if (this.#reader.partBytes === 0) this.#partSinceMs = 0;
    else if (this.#partSinceMs === 0) {
      this.#partSinceMs = now;
      this.armBy(now + this.config.frameTimeoutMs);
    }
  }

  /** One timer a connection: the nearest limit arms it, `onDeadline` finds out which. */
  protected armBy(deadlineMs: number): void {
    if (this.isClosed || (this.wheelSlot >= 0 && this.deadlineMs <= deadlineMs)) return;
    this.context.wheel.disarm(this);
    this.context.wheel.arm(this, deadlineMs);
  }

  onDeadline(nowMs: number): void {
    if (this.isClosed || this.isBroken) return;
    if (this.#partSinceMs > 0) {
      const due = this.#partSinceMs + this.config.frameTimeoutMs;
      if (due <= nowMs) {
        this.onBadFrame(false);
        return;
      }
      this.armBy(due);
    }
    if (this.#isEnding) this.#linger(nowMs);
    else this.idleFor(nowMs);
  }

  #linger(nowMs: number): void {
    const limitMs = this.wire.pending > 0 ? slowLingerMs : lingerMs;
    const dueMs = this.#endingSinceMs + limitMs;
    if (dueMs > nowMs) this.armBy(dueMs);
    else this.breakOff(Code.locallyClosed);
  }

  /** Queues bytes that do not change any more; they leave at the end of the loop turn. */
  protected put(buf: Buffer, start: number, end: number): void {
    if (this.isClosed) return;
    this.out.push(buf, start, end);
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.context.flushLater(this);
  }

  flush(): void {
    this.#isDirty = false;
    if (this.isClosed || this.isBroken) {
      this.out.clear();
      return;
    }
    if (!this.out.isEmpty) this.out.flush(this.wire, this.context.slab);
    if (this.#isEnding) this.wire.end();
    else if (this.wire.pending > this.config.maxQueuedBytes) this.overflow();
  }

  /** Drops the connection now. */
  protected breakOff(code: number): void {
    this.isBroken = true;
    this.wire.destroy(code);
  }

  /** False: nothing more is read. */
  protected get goesOn(): boolean {
    return !this.isClosed && !this.isBroken;
  }

  /** FIN once everything put so far has left. */
  protected endWhenFlushed(): void {
    if (this.#isEnding || this.isClosed) return;
    this.#isEnding = true;
    if (!this.#isDirty) this.wire.end();
    // A peer that does not close in return is not waited for.
    this.#endingSinceMs = this.context.clock.now();
    this.armBy(this.#endingSinceMs + lingerMs);
  }

  protected get isEnding(): boolean {
    return this.#isEnding;
  }

  protected closed(): void {
    this.isClosed = true;
    this.out.clear();
    this.#countPart(0);
    this.context.wheel.disarm(this);
  }

  isIdle(): boolean {
    return (
      this.active === 0 && this.out.isEmpty && this.wire.pending === 0 && !this.isClosed && !this.#isEnding
    );
  }

  cutPoint(): number {
    return this.#reader.partBytes;
  }

  exportState(): CodecState | null {
    if (!this.isIdle() || this.isDraining) return null;
    const data = { peer: this.peer, ...this.exportData() };
    const unread = this.#reader.takePart();
    this.#countPart(0);
    return { codec: this.protocol.name, version: stateVersion, unread, data };
  }

  importState(state: CodecState): void {
    if (state.codec !== this.protocol.name || state.version !== stateVersion) {
      throw new HeddleError(
        'ERR_BUG',
        `state of codec ${state.codec} version ${state.version} given to ${this.protocol.name}`,
      );
    }
    const data = state.data as { readonly peer: PeerAnnouncement | null };
    this.peer = data.peer;
    this.importData(data);
    if (state.unread.length > 0) this.onBytes(Buffer.from(state.unread), 0, state.unread.length);
  }

  protected abstract exportData(): object;
  protected abstract importData(data: object): void;
}
