import type { WheelNode } from '../../../core/base/timer-wheel.ts';
import type { CodecContext, ServerLimits } from '../../../core/contract/codec.ts';

/** What is due. */
export const Due = { none: 0, idle: 1, header: 2, ack: 3, linger: 4 } as const;

/** What the deadlines of a connection depend on. */
export interface ConnectionFacts {
  readonly active: number;
  /** In the middle of a frame or of a header block that must be complete in time. */
  readonly isMidHead: boolean;
  /** Frames read so far. */
  readonly frames: number;
  /** When an acknowledgement is due; 0: none is awaited. */
  readonly ackDueMs: number;
}

/**
 * The time limits of one downstream connection on its single wheel node. It comes up a few times per limit and looks
 * at what has changed since, so that frames cost no reading of the clock; limits are kept up to a quarter late.
 */
export class ServerDeadlines {
  readonly #node: WheelNode;
  readonly #context: CodecContext;
  readonly #facts: ConnectionFacts;
  #idleFromMs: number;
  /** There were streams since the last look. */
  #isUsed = false;
  #midFromMs = 0;
  #midFrames = 0;
  #lingerAtMs = 0;

  constructor(node: WheelNode, context: CodecContext, facts: ConnectionFacts, limits: ServerLimits) {
    this.#node = node;
    this.#context = context;
    this.#facts = facts;
    this.#idleFromMs = context.clock.now();
    this.#arm(this.#idleFromMs, limits);
  }

  /** The last stream has ended. */
  idleBegins(): void {
    this.#isUsed = true;
  }

  /** The bytes at hand ended in the middle of a frame. */
  midBegins(limits: ServerLimits): void {
    if (this.#midFromMs > 0 || this.#lingerAtMs > 0) return;
    this.#midFromMs = this.#context.clock.now();
    this.#midFrames = this.#facts.frames;
    this.#arm(this.#midFromMs, limits);
  }

  /** An acknowledgement is awaited now. */
  ackBegins(limits: ServerLimits): void {
    this.#arm(this.#context.clock.now(), limits);
  }

  /** Only the other side's FIN is awaited. */
  linger(lingerMs: number): void {
    if (this.#lingerAtMs > 0) return;
    this.#lingerAtMs = this.#context.clock.now() + lingerMs;
    this.#context.wheel.arm(this.#node, this.#lingerAtMs);
  }

  /** Called when the node came up; arms it again. */
  due(nowMs: number, limits: ServerLimits): number {
    if (this.#lingerAtMs > 0) {
      if (nowMs >= this.#lingerAtMs) return Due.linger;
      this.#context.wheel.arm(this.#node, this.#lingerAtMs);
      return Due.none;
    }
    const facts = this.#facts;
    if (facts.active > 0 || this.#isUsed) this.#idleFromMs = nowMs;
    this.#isUsed = false;
    if (!facts.isMidHead) this.#midFromMs = 0;
    else if (this.#midFromMs === 0 || facts.frames !== this.#midFrames) {
      this.#midFromMs = nowMs;
      this.#midFrames = facts.frames;
    }
    this.#arm(nowMs, limits);
    if (facts.ackDueMs > 0 && nowMs >= facts.ackDueMs) return Due.ack;
    const { headerTimeoutMs, idleTimeoutMs } = limits;
    if (headerTimeoutMs > 0 && this.#midFromMs > 0 && nowMs >= this.#midFromMs + headerTimeoutMs) {
      return Due.header;
    }
    return idleTimeoutMs > 0 && nowMs >= this.#idleFromMs + idleTimeoutMs ? Due.idle : Due.none;
  }

  stop(): void {
    this.#context.wheel.disarm(this.#node);
  }

  #arm(nowMs: number, limits: ServerLimits): void {
    const { idleTimeoutMs, headerTimeoutMs, requestTimeoutMs } = limits;
    let nearest = Number.POSITIVE_INFINITY;
    if (idleTimeoutMs > 0) nearest = Math.min(this.#idleFromMs + idleTimeoutMs, nowMs + idleTimeoutMs / 4);
    if (requestTimeoutMs > 0) nearest = Math.min(nearest, nowMs + requestTimeoutMs / 4);
    if (headerTimeoutMs > 0 && this.#midFromMs > 0)
      nearest = Math.min(nearest, this.#midFromMs + headerTimeoutMs, nowMs + headerTimeoutMs);
    if (this.#facts.ackDueMs > 0) nearest = Math.min(nearest, this.#facts.ackDueMs);
    if (nearest === Number.POSITIVE_INFINITY) return;
    this.#context.wheel.arm(this.#node, Math.max(nearest, nowMs + 1));
  }
}
