import type { Random } from '../../base/random.ts';
import type { Balancer, Host, HostSet, HostSetChanges } from '../../contract/cluster.ts';
import type { Stream } from '../../contract/stream.ts';
import { clampWeight, EdfScheduler } from './edf.ts';
import { availableHosts, firstUntried, noHosts, wasTried } from './host-choice.ts';
import { WeightClasses } from './weight-classes.ts';

/** So many turns are given to find a host that was not tried; then the list is walked. */
const maxTurns = 8;

/** Whose turn it is, by weight. */
interface Turns {
  build(hosts: Iterable<Host>): void;
  apply(changes: HostSetChanges): void;
  next(): Host | null;
}

/** Shares by weight over the available hosts, kept up to date by what changed. */
export class WeightedPicker implements Balancer {
  readonly #random: Random;
  readonly #turns: Turns;
  #hosts = noHosts;
  #version = -1;

  constructor(random: Random, turns: Turns) {
    this.#random = random;
    this.#turns = turns;
  }

  update(set: HostSet): void {
    const changes = set.changes;
    this.#hosts = availableHosts(set);
    if (changes === null || changes.from !== this.#version) this.#turns.build(this.#hosts);
    else this.#turns.apply(changes);
    this.#version = set.version;
  }

  /** Forgets the hosts: the next update builds anew. */
  clear(): void {
    if (this.#version === -1) return;
    this.#turns.build([]);
    this.#hosts = noHosts;
    this.#version = -1;
  }

  pick(s: Stream | null): Host | null {
    const first = this.#turns.next();
    if (first === null || !wasTried(s, first)) return first;
    for (let turn = 1; turn < maxTurns; turn++) {
      const host = this.#turns.next() as Host;
      if (!wasTried(s, host)) return host;
    }
    const start = Math.floor(this.#random.next() * this.#hosts.length);
    return firstUntried(this.#hosts, start, s, first);
  }
}

/** For weights that stay as they are: EDF over classes of equal weight. */
export class FixedTurns implements Turns {
  readonly #random: Random;
  readonly #classes = new WeightClasses();

  constructor(random: Random) {
    this.#random = random;
  }

  build(hosts: Iterable<Host>): void {
    this.#classes.build(hosts);
    this.#classes.shuffle(this.#random);
  }

  apply(changes: HostSetChanges): void {
    this.#classes.apply(changes);
  }

  next(): Host | null {
    return this.#classes.next();
  }
}

/** For weights that follow load or age: EDF over hosts, each weight read anew at every turn. */
export class LiveTurns implements Turns {
  readonly #random: Random;
  readonly #scheduler: EdfScheduler;

  constructor(random: Random, weightOf: (host: Host) => number) {
    this.#random = random;
    this.#scheduler = new EdfScheduler(weightOf);
  }

  build(hosts: Iterable<Host>): void {
    this.#scheduler.clear();
    for (const host of hosts) this.#scheduler.add(host, this.#random);
  }

  apply(changes: HostSetChanges): void {
    for (const host of changes.removed) this.#scheduler.remove(host);
    for (const host of changes.added) this.#scheduler.add(host, null);
  }

  next(): Host | null {
    return this.#scheduler.next();
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
