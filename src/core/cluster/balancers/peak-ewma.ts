import * as v from 'valibot';
import type { Clock } from '../../base/clock.ts';
import type { BalancerDefinition, Host } from '../../contract/cluster.ts';
import { clampWeight } from './edf.ts';
import { ScoreBalancer } from './score-balancer.ts';

const bias = v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(16));

const config = v.strictObject({
  /** Hosts compared per choice. */
  choiceCount: v.optional(v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(16)), 2),
  /** Exponents of streams in progress, of the share without client errors, of the share without server errors. */
  activeRequestBias: v.optional(bias, 1),
  clientErrorBias: v.optional(bias, 1),
  serverErrorBias: v.optional(bias, 1),
  /** Taken for a host that has not answered yet, and after a silence of `decayMs` for any. */
  defaultDurationMs: v.optional(v.pipe(v.number(), v.finite(), v.minValue(0)), 0),
  /** An average fades while its host gets no traffic, so that a slow host is tried again. */
  decayMs: v.optional(v.pipe(v.number(), v.finite(), v.minValue(1)), 10_000),
});
type Config = v.InferOutput<typeof config>;

/** Below this share of success a host is no worse: MOSN's floor. */
const leastSuccess = 0.1;
/** Keeps hosts without a duration comparable by their load. */
const floorMs = 0.01;

/**
 * MOSN's PeakEwma: duration * (active + 1)^a / max(0.1, (1 - clientErrors)^b * (1 - serverErrors)^c), with Finagle's decay
 * on read; per unit of weight.
 */
function scoreOf(config: Config, clock: Clock): (host: Host) => number {
  return (host) => {
    const statistics = host.statistics ?? null;
    let durationMs = config.defaultDurationMs;
    let success = 1;
    if (statistics !== null) {
      const age = clock.now() - statistics.updatedMs;
      const keep = age <= 0 ? 1 : Math.exp(-age / config.decayMs);
      durationMs = statistics.durationMs * keep + config.defaultDurationMs * (1 - keep);
      success =
        (1 - statistics.clientErrorShare * keep) ** config.clientErrorBias *
        (1 - statistics.serverErrorShare * keep) ** config.serverErrorBias;
    }
    const load = (host.active + 1) ** config.activeRequestBias;
    return (
      (Math.max(floorMs, durationMs) * load) / Math.max(leastSuccess, success) / clampWeight(host.weight)
    );
  };
}

/** The host that is likely to answer first among some random ones, by its recent durations, errors and load. */
export const peakEwma: BalancerDefinition<Config> = {
  name: 'peakEwma',
  config,
  usesStatistics: true,
  create: (given, context) =>
    new ScoreBalancer(context.random, given.choiceCount, scoreOf(given, context.clock)),
};
