import type { TimerWheel, WheelNode } from '../../../core/base/timer-wheel.ts';
import type { CodecContext, ServerLimits } from '../../../core/contract/codec.ts';

/** What is due. */
export const Due = { none: 0, idle: 1, header: 2, request: 3, linger: 4 } as const;

/**
 * The time limits of one downstream connection on its single wheel node. What a usual request costs is one store: the
 * node stays where it is, and when it comes up the idle limit is worked out from when the last request ended.
 */
export class ServerDeadlines {
  readonly #node: WheelNode;
  readonly #wheel: TimerWheel;
  readonly #context: CodecContext;
  #idleFromMs: number;
  #idleTimeoutMs = 0;
  #headerAtMs = 0;
  #requestAtMs = 0;
  #lingerAtMs = 0;

  constructor(node: WheelNode, context: CodecContext, limits: ServerLimits) {
    this.#node = node;
    this.#wheel = context.wheel;
    this.#context = context;
    this.#idleFromMs = context.clock.now();
    this.#idleTimeoutMs = limits.idleTimeoutMs;
    this.#arm();
  }

  /** The first bytes of a head are here, the end is not. */
  headBegins(limits: ServerLimits): void {
    if (this.#headerAtMs > 0 || limits.headerTimeoutMs === 0) return;
    const now = this.#context.clock.now();
    this.#headerAtMs = now + limits.headerTimeoutMs;
    if (limits.requestTimeoutMs > 0) this.#requestAtMs = now + limits.requestTimeoutMs;
    this.#arm();
  }

  /** The head is complete, the body is not. */
  bodyBegins(limits: ServerLimits): void {
    this.#headerAtMs = 0;
    if (this.#requestAtMs > 0 || limits.requestTimeoutMs === 0) return;
    this.#requestAtMs = this.#context.clock.now() + limits.requestTimeoutMs;
    this.#arm();
  }

  requestEnds(): void {
    this.#headerAtMs = this.#requestAtMs = 0;
  }

  /** Request and answer are over. */
  idleBegins(limits: ServerLimits): void {
    this.#idleFromMs = this.#wheel.nowMs;
    if (this.#idleTimeoutMs === limits.idleTimeoutMs) return;
    this.#idleTimeoutMs = limits.idleTimeoutMs;
    this.#arm();
  }

  /** Only the other side's FIN is awaited. */
  linger(lingerMs: number): void {
    this.requestEnds();
    this.#lingerAtMs = this.#context.clock.now() + lingerMs;
    this.#arm();
  }

  /** Called when the node came up; arms it again. @param isIdle between requests */
  due(nowMs: number, isIdle: boolean): number {
    const due = this.#find(nowMs, isIdle);
    if (!isIdle) this.#idleFromMs = nowMs;
    if (due === Due.none) this.#arm();
    return due;
  }

  stop(): void {
    this.#wheel.disarm(this.#node);
  }

  #find(nowMs: number, isIdle: boolean): number {
    if (this.#lingerAtMs > 0) return nowMs >= this.#lingerAtMs ? Due.linger : Due.none;
    if (this.#headerAtMs > 0 && nowMs >= this.#headerAtMs) return Due.header;
    if (this.#requestAtMs > 0 && nowMs >= this.#requestAtMs) return Due.request;
    const isLate = this.#idleTimeoutMs > 0 && nowMs >= this.#idleFromMs + this.#idleTimeoutMs;
    return isIdle && isLate ? Due.idle : Due.none;
  }

  #arm(): void {
    let nearest = this.#idleTimeoutMs > 0 ? this.#idleFromMs + this.#idleTimeoutMs : Number.POSITIVE_INFINITY;
    if (this.#headerAtMs > 0) nearest = Math.min(nearest, this.#headerAtMs);
    if (this.#requestAtMs > 0) nearest = Math.min(nearest, this.#requestAtMs);
    if (this.#lingerAtMs > 0) nearest = this.#lingerAtMs;
    if (nearest !== Number.POSITIVE_INFINITY) this.#wheel.arm(this.#node, nearest);
  }
}
