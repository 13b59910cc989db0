import type { Random } from '../../base/random.ts';
import type { Balancer, Host, HostSet } from '../../contract/cluster.ts';
import type { Stream } from '../../contract/stream.ts';
import { clampWeight, EdfScheduler } from './edf.ts';
import { availableHosts, firstUntried, noHosts, wasTried } from './host-choice.ts';

/** So many turns are given to find a host that was not tried; then the list is walked. */
const maxTurns = 8;

/** Shares by weight: EDF over the available hosts, kept up to date by what changed. */
export class WeightedPicker implements Balancer {
  readonly #random: Random;
  readonly #scheduler: EdfScheduler;
  #hosts = noHosts;
  #version = -1;

  constructor(random: Random, weightOf: (host: Host) => number) {
    this.#random = random;
    this.#scheduler = new EdfScheduler(weightOf);
  }

  update(set: HostSet): void {
    const changes = set.changes;
    this.#hosts = availableHosts(set);
    if (changes === null || changes.from !== this.#version) this.#build();
    else {
      for (const host of changes.removed) this.#scheduler.remove(host);
      for (const host of changes.added) this.#scheduler.add(host, null);
    }
    this.#version = set.version;
  }

  /** Forgets the hosts: the next update builds anew. */
  clear(): void {
    this.#scheduler.clear();
    this.#hosts = noHosts;
    this.#version = -1;
  }

  pick(s: Stream | null): Host | null {
    const first = this.#scheduler.next();
    if (first === null || !wasTried(s, first)) return first;
    for (let turn = 1; turn < maxTurns; turn++) {
      const host = this.#scheduler.next() as Host;
      if (!wasTried(s, host)) return host;
    }
    const start = Math.floor(this.#random.next() * this.#hosts.length);
    return firstUntried(this.#hosts, start, s, first);
  }

  #build(): void {
    this.#scheduler.clear();
    for (const host of this.#hosts) this.#scheduler.add(host, this.#random);
  }
}

/**
 * Whether the weights of the available hosts differ. Looks at what changed only; once they differ that stays so until a
 * set comes without known changes, since EDF serves equal weights as well.
 */
export class WeightSpread {
  differ = false;
  #common = -1;
  #version = -1;

  update(set: HostSet): void {
    const changes = set.changes;
    if (set.hasEqualWeights === true) {
      this.differ = false;
      this.#common = -1;
      if (availableHosts(set).length > 0) this.#look([availableHosts(set).get(0)]);
    } else if (changes === null || changes.from !== this.#version) {
      this.differ = false;
      this.#common = -1;
      this.#look(availableHosts(set));
    } else {
      this.#look(changes.added);
      this.#look(changes.changed);
    }
    this.#version = set.version;
  }

  #look(hosts: Iterable<Host>): void {
    for (const host of hosts) {
      const weight = clampWeight(host.weight);
      if (this.#common === -1) this.#common = weight;
      else if (weight !== this.#common) this.differ = true;
    }
  }
}
