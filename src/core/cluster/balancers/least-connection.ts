import * as v from 'valibot';
import type { BalancerDefinition, Host } from '../../contract/cluster.ts';
import { clampWeight } from './edf.ts';
import { ScoreBalancer } from './score-balancer.ts';

const config = v.strictObject({
  /** Hosts compared per choice. */
  choiceCount: v.optional(v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(16)), 2),
});
type Config = v.InferOutput<typeof config>;

/** Connections to the host where its upstream can tell; streams in progress otherwise. Per unit of weight. */
function load(host: Host): number {
  const connections = (host.upstream as { connections?: unknown }).connections;
  return ((typeof connections === 'number' ? connections : host.active) + 1) / clampWeight(host.weight);
}

/** The host with the fewest connections for its weight among some random ones. For long-lived connections (TCP). */
export const leastConnection: BalancerDefinition<Config> = {
  name: 'leastConnection',
  config,
  create: (given, context) => new ScoreBalancer(context.random, given.choiceCount, load),
};
