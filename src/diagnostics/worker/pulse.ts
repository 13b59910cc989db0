import { messageOf } from '../../core/base/errors.ts';
import type { SignalSample } from '../../core/contract/signal.ts';
import { nowMs } from './cpu-profiler.ts';
import { pollMsOf, type Sampler, troubledPollMs } from './sampler.ts';

export interface PulseListener {
  /** The regular sample, every interval. */
  tick(sample: SignalSample): void;
  /** A look in between that a rule might care for. */
  look(sample: SignalSample): void;
  problem(message: string): void;
}

/** When the monitor looks: every interval for a sample, and between two for what cannot wait. */
export class Pulse {
  /** Ticks that came more than an interval late. */
  overruns = 0;
  readonly #sampler: Sampler;
  readonly #intervalMs: number;
  readonly #pollMs: number;
  readonly #listener: PulseListener;
  #lastTickMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(sampler: Sampler, intervalMs: number, listener: PulseListener) {
    this.#sampler = sampler;
    this.#intervalMs = intervalMs;
    this.#pollMs = pollMsOf(intervalMs);
    this.#listener = listener;
  }

  /** The first sample comes at once: the warm-up counts from it. */
  start(): void {
    this.#tick(nowMs());
    this.#schedule(this.#pollMs);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(delayMs: number): void {
    if (!this.#isStopped) this.#timer = setTimeout(() => this.#turn(), delayMs);
  }

  /** Trouble makes the looks more frequent. */
  #turn(): void {
    try {
      const atMs = nowMs();
      if (atMs - this.#lastTickMs >= this.#intervalMs - this.#pollMs / 2) this.#tick(atMs);
      else this.#look(atMs);
    } catch (error) {
      this.#listener.problem(messageOf(error));
    }
    this.#schedule(this.#sampler.isTroubled() ? troubledPollMs : this.#pollMs);
  }

  #tick(atMs: number): void {
    const sinceTickMs = atMs - this.#lastTickMs;
    if (this.#lastTickMs > 0 && sinceTickMs > this.#intervalMs * 2) this.overruns++;
    this.#lastTickMs = atMs;
    this.#listener.tick(this.#sampler.tick());
    if (this.#intervalMs <= this.#pollMs) this.#sampler.ask();
  }

  #look(atMs: number): void {
    // The last look before a tick: what is asked for now is there and fresh then.
    if (atMs - this.#lastTickMs >= this.#intervalMs - this.#pollMs * 1.5) this.#sampler.ask();
    const urgent = this.#sampler.poll();
    if (urgent !== undefined) this.#listener.look(urgent);
  }
}
