import * as v from 'valibot';
import { HashRing, ketamaRing } from '../../../sharding/index.ts';
import type { Balancer, BalancerDefinition, Host, HostSet } from '../../contract/cluster.ts';
import type { Stream } from '../../contract/stream.ts';
import { clampWeight } from './edf.ts';
import { hashKeys, hashOf } from './hash-key.ts';
import { sortedHosts, wasTried } from './host-choice.ts';

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

/** Ketama: a key keeps its host while that is there; a host that comes or goes moves about its share of the keys. */
class RingHash implements Balancer {
  readonly #config: Config;
  readonly #hash: (s: Stream | null) => number;
  #set: HostSet | null = null;
  #hosts: readonly Host[] = [];
  #ring = new HashRing(new Float64Array(0));

  constructor(given: Config, hash: (s: Stream | null) => number) {
    this.#config = given;
    this.#hash = hash;
  }

  /** The ring is built by the next pick: several updates in a row make one. */
  update(set: HostSet): void {
    this.#set = set;
  }

  pick(s: Stream | null): Host | null {
    if (this.#set !== null) this.#build(this.#set);
    const ring = this.#ring;
    if (ring.size === 0) return null;
    const start = ring.find(this.#hash(s));
    const first = this.#hosts[ring.ownerAt(start)] as Host;
    if (!wasTried(s, first)) return first;
    for (let step = 1; step < ring.size; step++) {
      const host = this.#hosts[ring.ownerAt(start + step)] as Host;
      if (!wasTried(s, host)) return host;
    }
    return first;
  }

  #build(set: HostSet): void {
    this.#set = null;
    this.#hosts = sortedHosts(set);
    const { minRingSize, maxRingSize } = this.#config;
    this.#ring = ketamaRing(
      this.#hosts.map((host) => host.address),
      this.#hosts.map((host) => clampWeight(host.weight)),
      { minSize: minRingSize, maxSize: maxRingSize },
    );
  }
}

export const ringHash: BalancerDefinition<Config> = {
  name: 'ringHash',
  config,
  create: (given, context) => new RingHash(given, hashOf(given.key, context.random)),
};
