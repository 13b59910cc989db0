import * as v from 'valibot';
import type { Random } from '../../base/random.ts';
import type { Balancer, BalancerDefinition, Host, HostSet } from '../../contract/cluster.ts';
import type { ExtensionContext } from '../../contract/extension.ts';
import type { Stream } from '../../contract/stream.ts';
import { availableHosts, firstUntried, noHosts, wasTried } from './host-choice.ts';
import { slowStartConfig } from './slow-start.ts';
import { WeightedMode } from './weighted-mode.ts';

const config = v.strictObject({ slowStart: slowStartConfig });
type Config = v.InferOutput<typeof config>;

/** One after the other from a random start; by EDF while weights differ or a host is in slow start. */
class RoundRobin implements Balancer {
  readonly #random: Random;
  readonly #weighted: WeightedMode;
  #hosts = noHosts;
  #at = -1;

  constructor(given: Config, context: ExtensionContext) {
    this.#random = context.random;
    this.#weighted = new WeightedMode(context, given.slowStart, null);
  }

  update(set: HostSet): void {
    this.#hosts = availableHosts(set);
    this.#weighted.update(set);
    if (this.#at < 0 && this.#hosts.length > 0) {
      this.#at = Math.floor(this.#random.next() * this.#hosts.length);
    }
  }

  pick(s: Stream | null): Host | null {
    if (this.#weighted.isOn) return this.#weighted.pick(s);
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

export const roundRobin: BalancerDefinition<Config> = {
  name: 'roundRobin',
  config,
  create: (given, context) => new RoundRobin(given, context),
};
