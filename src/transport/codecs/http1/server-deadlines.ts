import type { WheelNode } from '../../../core/base/timer-wheel.ts';
import type { CodecContext, ServerLimits } from '../../../core/contract/codec.ts';

/** What is due. */
export const Due = { none: 0, idle: 1, header: 2, request: 3, linger: 4 } as const;

/**
 * The time limits of one downstream connection on its single wheel node. What a usual request costs is one store, no
 * reading of the clock: the node comes up four times per idle limit and sees whether there was a request since. So a
 * connection that was used closes up to a quarter of the limit late, one that never was on time.
 */
export class ServerDeadlines {
  readonly #node: WheelNode;
  readonly #context: CodecContext;
  /** No request has been seen since. */
  #idleFromMs: number;
  #idleTimeoutMs: number;
  #isUsed = false;
  #headerAtMs = 0;
  #requestAtMs = 0;
  #lingerAtMs = 0;

  constructor(node: WheelNode, context: CodecContext, limits: ServerLimits) {
    this.#node = node;
    this.#context = context;
    this.#idleFromMs = context.clock.now();
    this.#idleTimeoutMs = limits.idleTimeoutMs;
    this.#arm(this.#idleFromMs);
  }

  /** The first bytes of a head are here, the end is not. */
  headBegins(limits: ServerLimits): void {
    if (this.#headerAtMs > 0 || limits.headerTimeoutMs === 0) return;
    const now = this.#context.clock.now();
    this.#headerAtMs = now + limits.headerTimeoutMs;
    if (limits.requestTimeoutMs > 0) this.#requestAtMs = now + limits.requestTimeoutMs;
    this.#arm(now);
  }

  /** The head is complete, the body is not. */
  bodyBegins(limits: ServerLimits): void {
    this.#headerAtMs = 0;
    if (this.#requestAtMs > 0 || limits.requestTimeoutMs === 0) return;
    const now = this.#context.clock.now();
    this.#requestAtMs = now + limits.requestTimeoutMs;
    this.#arm(now);
  }

  requestEnds(): void {
    this.#headerAtMs = this.#requestAtMs = 0;
  }

  /** Request and answer are over. */
  idleBegins(limits: ServerLimits): void {
    this.#isUsed = true;
    if (this.#idleTimeoutMs === limits.idleTimeoutMs) return;
    this.#idleTimeoutMs = limits.idleTimeoutMs;
    this.#arm(this.#context.clock.now());
  }

  /** Only the other side's FIN is awaited. */
  linger(lingerMs: number): void {
    this.requestEnds();
    const now = this.#context.clock.now();
    this.#lingerAtMs = now + lingerMs;
    this.#arm(now);
  }

  /** Called when the node came up; arms it again. @param isIdle between requests */
  due(nowMs: number, isIdle: boolean): number {
    if (!isIdle || this.#isUsed) this.#idleFromMs = nowMs;
    this.#isUsed = false;
    const due = this.#find(nowMs, isIdle);
    if (due === Due.none) this.#arm(nowMs);
    return due;
  }

  stop(): void {
    this.#context.wheel.disarm(this.#node);
  }

  #find(nowMs: number, isIdle: boolean): number {
    if (this.#lingerAtMs > 0) return nowMs >= this.#lingerAtMs ? Due.linger : Due.none;
    if (this.#headerAtMs > 0 && nowMs >= this.#headerAtMs) return Due.header;
    if (this.#requestAtMs > 0 && nowMs >= this.#requestAtMs) return Due.request;
    const isLate = this.#idleTimeoutMs > 0 && nowMs >= this.#idleFromMs + this.#idleTimeoutMs;
    return isIdle && isLate ? Due.idle : Due.none;
  }

  #arm(nowMs: number): void {
    let nearest = Number.POSITIVE_INFINITY;
    if (this.#idleTimeoutMs > 0) {
      nearest = Math.min(this.#idleFromMs + this.#idleTimeoutMs, nowMs + this.#idleTimeoutMs / 4);
    }
    if (this.#headerAtMs > 0) nearest = Math.min(nearest, this.#headerAtMs);
    if (this.#requestAtMs > 0) nearest = Math.min(nearest, this.#requestAtMs);
    if (this.#lingerAtMs > 0) nearest = this.#lingerAtMs;
    if (nearest !== Number.POSITIVE_INFINITY) this.#context.wheel.arm(this.#node, nearest);
  }
}
