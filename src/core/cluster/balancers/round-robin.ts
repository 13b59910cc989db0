import * as v from 'valibot';
import type { Random } from '../../base/random.ts';
import type { Balancer, BalancerDefinition, Host, HostSet } from '../../contract/cluster.ts';
import type { Stream } from '../../contract/stream.ts';
import { clampWeight } from './edf.ts';
import { availableHosts, firstUntried, noHosts, wasTried } from './host-choice.ts';
import { WeightedPicker, WeightSpread } from './weighted.ts';

/** One after the other from a random start; by EDF as soon as weights differ. */
class RoundRobin implements Balancer {
  readonly #random: Random;
  readonly #weighted: WeightedPicker;
  #hosts = noHosts;
  readonly #weights = new WeightSpread();
  #at = -1;

  constructor(random: Random) {
    this.#random = random;
    this.#weighted = new WeightedPicker(random, (host) => clampWeight(host.weight));
  }

  update(set: HostSet): void {
    this.#hosts = availableHosts(set);
    this.#weights.update(set);
    if (this.#weights.differ) this.#weighted.update(set);
    else this.#weighted.clear();
    if (this.#at < 0 && this.#hosts.length > 0) {
      this.#at = Math.floor(this.#random.next() * this.#hosts.length);
    }
  }

  pick(s: Stream | null): Host | null {
    if (this.#weights.differ) return this.#weighted.pick(s);
    const hosts = this.#hosts;
    const count = hosts.length;
    if (count === 0) return null;
    let at = this.#at + 1;
    if (at >= count) at = 0;
    this.#at = at;
    const host = hosts.get(at);
    return wasTried(s, host) ? firstUntried(hosts, at, s, host) : host;
  }
}

const config = v.strictObject({});

export const roundRobin: BalancerDefinition<v.InferOutput<typeof config>> = {
  name: 'roundRobin',
  config,
  create: (_config, context) => new RoundRobin(context.random),
};
