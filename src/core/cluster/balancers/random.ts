import * as v from 'valibot';
import type { Random } from '../../base/random.ts';
import type { Balancer, BalancerDefinition, Host, HostSet } from '../../contract/cluster.ts';
import type { Stream } from '../../contract/stream.ts';
import { availableHosts, firstUntried, noHosts, wasTried } from './host-choice.ts';
import { WeightClasses } from './weight-classes.ts';
import { WeightSpread } from './weighted.ts';

/** Any host with a probability by its weight. */
class RandomBalancer implements Balancer {
  readonly #random: Random;
  readonly #spread = new WeightSpread();
  readonly #classes = new WeightClasses();
  /** The version that `#classes` holds. */
  #version = -1;
  #hosts = noHosts;

  constructor(random: Random) {
    this.#random = random;
  }

  update(set: HostSet): void {
    this.#hosts = availableHosts(set);
    this.#spread.update(set);
    if (!this.#spread.differ) return;
    if (set.changes !== null && set.changes.from === this.#version) this.#classes.apply(set.changes);
    else this.#classes.build(this.#hosts);
    this.#version = set.version;
  }

  pick(s: Stream | null): Host | null {
    if (this.#hosts.length === 0) return null;
    const host = this.#draw();
    if (host === null || !wasTried(s, host)) return host;
    return firstUntried(this.#hosts, Math.floor(this.#random.next() * this.#hosts.length), s, host);
  }

  #draw(): Host | null {
    if (this.#spread.differ) return this.#classes.draw(this.#random);
    return this.#hosts.get(Math.floor(this.#random.next() * this.#hosts.length));
  }
}

const config = v.strictObject({});

export const random: BalancerDefinition<v.InferOutput<typeof config>> = {
  name: 'random',
  config,
  create: (_config, context) => new RandomBalancer(context.random),
};
