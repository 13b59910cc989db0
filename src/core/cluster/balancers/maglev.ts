import * as v from 'valibot';
import { MaglevTable } from '../../../sharding/index.ts';
import type { Balancer, BalancerDefinition, Host, HostSet } from '../../contract/cluster.ts';
import type { Stream } from '../../contract/stream.ts';
import { clampWeight } from './edf.ts';
import { hashKeys, hashOf } from './hash-key.ts';
import { sortedHosts, wasTried } from './host-choice.ts';

const config = v.strictObject({ key: hashKeys });
type Config = v.InferOutput<typeof config>;

/** Maglev's table: the fastest look-up and the most even shares; about twice the keys of a ring move with a host. */
class Maglev implements Balancer {
  readonly #hash: (s: Stream | null) => number;
  #set: HostSet | null = null;
  #hosts: readonly Host[] = [];
  #table = new MaglevTable([], []);

  constructor(hash: (s: Stream | null) => number) {
    this.#hash = hash;
  }

  /** The table is built by the next pick: several updates in a row make one. */
  update(set: HostSet): void {
    this.#set = set;
  }

  pick(s: Stream | null): Host | null {
    if (this.#set !== null) this.#build(this.#set);
    const table = this.#table;
    if (table.size === 0) return null;
    const hash = this.#hash(s);
    const first = this.#hosts[table.lookUp(hash)] as Host;
    if (!wasTried(s, first)) return first;
    for (let step = 1; step < table.size; step++) {
      const host = this.#hosts[table.lookUp(hash + step)] as Host;
      if (!wasTried(s, host)) return host;
    }
    return first;
  }

  #build(set: HostSet): void {
    this.#set = null;
    this.#hosts = sortedHosts(set);
    this.#table = new MaglevTable(
      this.#hosts.map((host) => host.address),
      this.#hosts.map((host) => clampWeight(host.weight)),
    );
  }
}

export const maglev: BalancerDefinition<Config> = {
  name: 'maglev',
  config,
  create: (given, context) => new Maglev(hashOf(given.key, context.random)),
};
