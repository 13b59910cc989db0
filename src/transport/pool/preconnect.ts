import { WheelNode } from '../../core/base/timer-wheel.ts';
import type { CodecContext } from '../../core/contract/codec.ts';

const firstBackoffMs = 100;
const longestBackoffMs = 30_000;

/** When connections that nobody asked for may be dialled: at once, and after failures with exponential back-off. */
export class Preconnect extends WheelNode {
  readonly #context: CodecContext;
  readonly #wanted: number;
  readonly #dialAgain: () => void;
  #backoffMs = 0;
  #isStopped = false;

  constructor(context: CodecContext, wanted: number, dialAgain: () => void) {
    super();
    this.#context = context;
    this.#wanted = wanted;
    this.#dialAgain = dialAgain;
  }

  mayDial(): boolean {
    return !this.#isStopped && this.wheelSlot < 0;
  }

  failed(): void {
    if (this.#isStopped || this.#wanted === 0) return;
    if (this.wheelSlot >= 0) return;
    this.#backoffMs = Math.min(
      longestBackoffMs,
      this.#backoffMs === 0 ? firstBackoffMs : this.#backoffMs * 2,
    );
    this.#context.wheel.arm(this, this.#context.clock.now() + this.#backoffMs);
  }

  succeeded(): void {
    this.#backoffMs = 0;
  }

  stop(): void {
    this.#isStopped = true;
    this.#context.wheel.disarm(this);
  }

  onDeadline(): void {
    this.#dialAgain();
  }
}
