import type { Random } from '../../base/random.ts';
import type { Balancer, Host, HostSet } from '../../contract/cluster.ts';
import type { Stream } from '../../contract/stream.ts';
import { availableHosts, firstUntried, noHosts, wasTried } from './host-choice.ts';

/** The host with the lowest score among some random ones; all are compared where there are no more than that. */
export class ScoreBalancer implements Balancer {
  readonly #random: Random;
  readonly #choiceCount: number;
  readonly #score: (host: Host) => number;
  #hosts = noHosts;

  constructor(random: Random, choiceCount: number, score: (host: Host) => number) {
    this.#random = random;
    this.#choiceCount = choiceCount;
    this.#score = score;
  }

  update(set: HostSet): void {
    this.#hosts = availableHosts(set);
  }

  pick(s: Stream | null): Host | null {
    const hosts = this.#hosts;
    const count = hosts.length;
    if (count === 0) return null;
    const start = Math.floor(this.#random.next() * count);
    const choices = Math.min(this.#choiceCount, count);
    let best: Host | null = null;
    let lowest = Number.POSITIVE_INFINITY;
    let at = start;
    for (let choice = 0; choice < choices; choice++) {
      const host = hosts.get(at);
      const score = wasTried(s, host) ? Number.POSITIVE_INFINITY : this.#score(host);
      if (score < lowest) {
        lowest = score;
        best = host;
      }
      at = choices === count ? next(at, count) : this.#another(at, count);
    }
    return best ?? firstUntried(hosts, at, s, hosts.get(start));
  }

  /** A random position other than `at`. */
  #another(at: number, count: number): number {
    const other = Math.floor(this.#random.next() * (count - 1));
    return other >= at ? other + 1 : other;
  }
}

function next(at: number, count: number): number {
  return at + 1 === count ? 0 : at + 1;
}
