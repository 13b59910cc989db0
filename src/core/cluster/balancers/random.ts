import * as v from 'valibot';
import type { Random } from '../../base/random.ts';
import type { Balancer, BalancerDefinition, Host, HostSet } from '../../contract/cluster.ts';
import type { Stream } from '../../contract/stream.ts';
import { AliasTable } from './alias-table.ts';
import { clampWeight } from './edf.ts';
import { firstUntried, wasTried } from './tried.ts';
import { WeightSpread } from './weighted.ts';

/** Any host with a probability by its weight. */
class RandomBalancer implements Balancer {
  readonly #random: Random;
  readonly #weights = new WeightSpread();
  #hosts: readonly Host[] = [];
  #table: AliasTable | null = null;

  constructor(random: Random) {
    this.#random = random;
  }

  update(set: HostSet): void {
    this.#hosts = set.available;
    this.#weights.update(set);
    this.#table = this.#weights.differ
      ? new AliasTable(set.available.map((host) => clampWeight(host.weight)))
      : null;
  }

  pick(s: Stream | null): Host | null {
    const hosts = this.#hosts;
    if (hosts.length === 0) return null;
    const at = this.#draw();
    const host = hosts[at] as Host;
    if (!wasTried(s, host)) return host;
    const other = this.#draw();
    return firstUntried(hosts, other, s, host);
  }

  #draw(): number {
    if (this.#table !== null) return this.#table.draw(this.#random);
    return Math.floor(this.#random.next() * this.#hosts.length);
  }
}

const config = v.strictObject({});

export const random: BalancerDefinition<v.InferOutput<typeof config>> = {
  name: 'random',
  config,
  create: (_config, context) => new RandomBalancer(context.random),
};
