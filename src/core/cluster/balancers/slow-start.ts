import * as v from 'valibot';
import type { Clock } from '../../base/clock.ts';
import type { Host, HostSet } from '../../contract/cluster.ts';
import { availableHosts } from './host-choice.ts';

/** A host that has just joined or become healthy gets its share step by step (Envoy, MOSN). */
export const slowStartConfig = v.optional(
  v.strictObject({
    windowMs: v.pipe(v.number(), v.finite(), v.minValue(1), v.maxValue(86_400_000)),
    /** 1 rises in a straight line; larger values give more early on. */
    aggression: v.optional(v.pipe(v.number(), v.finite(), v.minValue(0.01), v.maxValue(100)), 1),
    /** Never less than this share of its weight. */
    minWeightPercent: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100)), 10),
  }),
);
export type SlowStartConfig = NonNullable<v.InferOutput<typeof slowStartConfig>>;

/** weight * max(minimum, (max(age, 1 s) / window) ^ (1 / aggression)) */
export class SlowStart {
  readonly #config: SlowStartConfig;
  readonly #clock: Clock;
  #untilMs = 0;
  #version = -1;

  constructor(config: SlowStartConfig, clock: Clock) {
    this.#config = config;
    this.#clock = clock;
  }

  /** Some host is still in its window. */
  get isActive(): boolean {
    return this.#clock.now() < this.#untilMs;
  }

  update(set: HostSet): void {
    const changes = set.changes;
    const isKnown = changes !== null && changes.from === this.#version;
    for (const host of isKnown ? changes.added : availableHosts(set)) {
      this.#untilMs = Math.max(this.#untilMs, host.sinceMs + this.#config.windowMs);
    }
    this.#version = set.version;
  }

  /** 0 to 1, above 0. */
  factor(host: Host): number {
    const { windowMs, aggression, minWeightPercent } = this.#config;
    const ageMs = Math.max(1000, this.#clock.now() - host.sinceMs);
    if (ageMs >= windowMs) return 1;
    const share = (ageMs / windowMs) ** (1 / aggression);
    return Math.max(minWeightPercent / 100, share, 0.001);
  }
}
