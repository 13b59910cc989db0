import * as v from 'valibot';
import type { BalancerDefinition, Host } from '../../contract/cluster.ts';
import { clampWeight } from './edf.ts';
import { ScoreBalancer } from './score-balancer.ts';

const config = v.strictObject({
  /** Hosts compared per choice. */
  choiceCount: v.optional(v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(16)), 2),
});
type Config = v.InferOutput<typeof config>;

/** Per unit of weight. */
function load(host: Host): number {
  return ((host.connections ?? host.active) + 1) / clampWeight(host.weight);
}

/** The host with the fewest connections for its weight among some random ones. For long-lived connections (TCP). */
export const leastConnection: BalancerDefinition<Config> = {
  name: 'leastConnection',
  config,
  create: (given, context) => new ScoreBalancer(context.random, given.choiceCount, load),
};
