import * as v from 'valibot';
import type { Random } from '../../base/random.ts';
import type { Balancer, BalancerDefinition, Host, HostSet } from '../../contract/cluster.ts';
import type { ExtensionContext } from '../../contract/extension.ts';
import type { Stream } from '../../contract/stream.ts';
import { clampWeight } from './edf.ts';
import { availableHosts, firstUntried, noHosts, wasTried } from './host-choice.ts';
import { slowStartConfig } from './slow-start.ts';
import { WeightedMode } from './weighted-mode.ts';

const config = v.strictObject({
  /** Hosts compared per request when weights are equal. */
  choiceCount: v.optional(v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(16)), 2),
  /** With unequal weights the share is weight / (active + 1) ^ activeRequestBias; 0 ignores load. */
  activeRequestBias: v.optional(v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(16)), 1),
  slowStart: slowStartConfig,
});
type Config = v.InferOutput<typeof config>;

/**
 * The host with the fewest streams in progress among `choiceCount` random ones (power of two choices); with unequal
 * weights EDF by weight and load, as Envoy and MOSN do.
 */
class LeastRequest implements Balancer {
  readonly #random: Random;
  readonly #choiceCount: number;
  readonly #weighted: WeightedMode;
  #hosts = noHosts;

  constructor(config: Config, context: ExtensionContext) {
    const bias = config.activeRequestBias;
    this.#random = context.random;
    this.#choiceCount = config.choiceCount;
    this.#weighted = new WeightedMode(context, config.slowStart, (host) =>
      bias === 1
        ? clampWeight(host.weight) / (host.active + 1)
        : clampWeight(host.weight) / (host.active + 1) ** bias,
    );
  }

  update(set: HostSet): void {
    this.#hosts = availableHosts(set);
    this.#weighted.update(set);
  }

  pick(s: Stream | null): Host | null {
    if (this.#weighted.isOn) return this.#weighted.pick(s);
    const hosts = this.#hosts;
    const count = hosts.length;
    if (count === 0) return null;
    if (count === 1) return hosts.get(0);
    let at = Math.floor(this.#random.next() * count);
    let best = hosts.get(at);
    let isTried = wasTried(s, best);
    for (let choice = 1; choice < this.#choiceCount && choice < count; choice++) {
      at = this.#another(at, count);
      const host = hosts.get(at);
      if (wasTried(s, host)) continue;
      if (isTried || host.active < best.active) {
        best = host;
        isTried = false;
      }
    }
    return isTried ? firstUntried(hosts, at, s, best) : best;
  }

  /** A random position other than `at`. */
  #another(at: number, count: number): number {
    const other = Math.floor(this.#random.next() * (count - 1));
    return other >= at ? other + 1 : other;
  }
}

export const leastRequest: BalancerDefinition<Config> = {
  name: 'leastRequest',
  config,
  create: (given, context) => new LeastRequest(given, context),
};
