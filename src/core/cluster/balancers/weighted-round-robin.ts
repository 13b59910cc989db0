import * as v from 'valibot';
import type { BalancerDefinition } from '../../contract/cluster.ts';
import { FixedTurns, WeightedPicker } from './weighted.ts';

const config = v.strictObject({});

/** EDF by weight always; `roundRobin` does the same as soon as weights differ. MOSN's LB_WEIGHTED_ROUNDROBIN. */
export const weighted: BalancerDefinition<v.InferOutput<typeof config>> = {
  name: 'weighted',
  config,
  create: (_config, context) => new WeightedPicker(context.random, new FixedTurns(context.random)),
};
