import type { Clock } from '../../core/base/clock.ts';
import type { Logger } from '../../core/contract/logger.ts';
import type { Metrics } from '../../core/contract/metrics.ts';
import type { TlsFailure } from './failure.ts';

const logEveryMs = 1000;

/** Counts handshakes of one listener or cluster; failures are logged once a second, as strangers can make many. */
export class Handshakes {
  readonly #metrics: Metrics;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #labels: Readonly<Record<string, string>>;
  readonly #side: string;
  readonly #done: number;
  #loggedMs = Number.NEGATIVE_INFINITY;
  #unlogged = 0;

  constructor(side: 'listener' | 'cluster', name: string, clock: Clock, metrics: Metrics, logger: Logger) {
    this.#side = side;
    this.#clock = clock;
    this.#metrics = metrics;
    this.#logger = logger;
    this.#labels = { [side]: name };
    this.#done = metrics.counter(`heddle_${side}_tls_handshakes_total`, this.#labels);
  }

  succeeded(): void {
    this.#add(this.#done);
  }

  /** @param address the peer's */
  failed(reason: TlsFailure, address: string, detail: string): void {
    const name = `heddle_${this.#side}_tls_handshake_failures_total`;
    this.#add(this.#metrics.counter(name, { ...this.#labels, reason }));
    const nowMs = this.#clock.now();
    if (nowMs - this.#loggedMs < logEveryMs) {
      this.#unlogged++;
      return;
    }
    const alsoFailed = this.#unlogged;
    this.#loggedMs = nowMs;
    this.#unlogged = 0;
    this.#logger.warn('TLS handshake failed', { ...this.#labels, reason, address, detail, alsoFailed });
  }

  /** A host was spoken to in plain text because it does not speak TLS. @param address the host's */
  fellBack(address: string): void {
    this.#add(this.#metrics.counter(`heddle_${this.#side}_tls_fallbacks_total`, this.#labels));
    this.#logger.warn('a host does not speak TLS, it is spoken to in plain text', {
      ...this.#labels,
      address,
    });
  }

  #add(slot: number): void {
    this.#metrics.values[slot] = (this.#metrics.values[slot] as number) + 1;
  }
}
