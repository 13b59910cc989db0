import { Backoff, type BackoffOptions } from '../../../../core/base/backoff.ts';
import type { Random } from '../../../../core/base/random.ts';

/** Clients that lost one server together come to the next one spread over this long. */
const spreadMs = 100;

/** The servers of an ensemble in an order of this client's own, and when the next one may be asked. */
export class Ensemble {
  readonly #servers: readonly string[];
  readonly #random: Random;
  readonly #backoff: Backoff;
  #at = -1;
  /** Tries since the last success. */
  #tries = 0;

  constructor(servers: readonly string[], backoff: BackoffOptions, random: Random) {
    this.#random = random;
    this.#backoff = new Backoff(backoff, random);
    const shuffled = [...servers];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const other = Math.floor(random.next() * (i + 1));
      [shuffled[i], shuffled[other]] = [shuffled[other] as string, shuffled[i] as string];
    }
    this.#servers = shuffled;
  }

  get size(): number {
    return this.#servers.length;
  }

  get current(): string {
    return this.#servers[Math.max(0, this.#at)] as string;
  }

  /** Moves on to the next server. */
  next(): string {
    this.#at = (this.#at + 1) % this.#servers.length;
    this.#tries++;
    return this.current;
  }

  /** How long to wait before `next`: every server gets one try, then all of them a rest that grows. */
  waitMs(): number {
    if (this.#tries > 0 && this.#tries % this.#servers.length === 0) return this.#backoff.nextMs();
    return this.#random.next() * spreadMs;
  }

  succeeded(): void {
    this.#tries = 0;
    this.#backoff.reset();
  }
}
