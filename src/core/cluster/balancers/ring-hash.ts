import * as v from 'valibot';
import { type HashRing, ketamaRing, ketamaSize, ketamaSteps } from '../../../sharding/index.ts';
import type { BalancerDefinition } from '../../contract/cluster.ts';
import { hashKeys, hashOf } from './hash-key.ts';
import { type LookUpTable, TableBalancer, type TableKind } from './table-balancer.ts';

const size = (fallback: number) =>
  v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(8_388_608)), fallback);

const config = v.pipe(
  v.strictObject({
    key: hashKeys,
    /** Points on the ring, all hosts together; in proportion to weights. */
    minRingSize: size(1024),
    maxRingSize: size(8_388_608),
  }),
  v.check((given) => given.minRingSize <= given.maxRingSize, 'minRingSize must not be above maxRingSize'),
);
type Config = v.InferOutput<typeof config>;

/** More points take more than about 5 ms to build. */
const longPoints = 5000;

class Ring implements LookUpTable {
  readonly #ring: HashRing;

  constructor(ring: HashRing) {
    this.#ring = ring;
  }

  get size(): number {
    return this.#ring.size;
  }

  start(hash: number): number {
    return this.#ring.find(hash);
  }

  ownerAt(position: number): number {
    return this.#ring.ownerAt(position);
  }
}

function kindOf({ minRingSize, maxRingSize }: Config): TableKind {
  const options = { minSize: minRingSize, maxSize: maxRingSize };
  return {
    empty: new Ring(ketamaRing([], [], options)),
    *build(keys, weights) {
      return new Ring(yield* ketamaSteps(keys, weights, options));
    },
    isLong: (weights) => ketamaSize(weights, options) > longPoints,
  };
}

/** Ketama: a key keeps its host while that is there; a host that comes or goes moves about its share of the keys. */
export const ringHash: BalancerDefinition<Config> = {
  name: 'ringHash',
  config,
  create: (given, { random, clock }) => new TableBalancer(kindOf(given), hashOf(given.key, random), clock),
};
