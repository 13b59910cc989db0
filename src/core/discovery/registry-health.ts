import type { Clock } from '../base/clock.ts';
import { HealthRecord } from '../base/health-record.ts';
import type { Logger } from '../contract/logger.ts';
import type { Metrics } from '../contract/metrics.ts';
import type { Health } from '../contract/state.ts';

/**
 * The health of one registry over its services: ok, degraded while a last good list serves, failed where there is none.
 * A trouble is logged when it begins, changes or ends, not each time it is met.
 */
export class RegistryHealth {
  readonly #name: string;
  readonly #logger: Logger;
  readonly #record: HealthRecord;
  readonly #troubles = new Map<string, { reason: string; hasList: boolean }>();
  readonly #metrics: Metrics | null;
  #counted = 0;
  readonly #gauge: number;
  readonly #counter: number;

  /** @param metrics for how many services are in trouble, and how often that began */
  constructor(name: string, clock: Clock, logger: Logger, metrics: Metrics | null = null) {
    this.#name = name;
    this.#logger = logger;
    this.#record = new HealthRecord(clock);
    this.#metrics = metrics;
    this.#gauge = metrics?.gauge('heddle_registry_troubled_services', { registry: name }) ?? 0;
    this.#counter = metrics?.counter('heddle_registry_troubles_total', { registry: name }) ?? 0;
  }

  /** Why this service's list cannot be trusted to be the newest; "" when it can. */
  reasonOf(service: string): string {
    return this.#troubles.get(service)?.reason ?? '';
  }

  /** @param hasList an earlier list goes on serving */
  trouble(service: string, reason: string, hasList: boolean): void {
    const known = this.#troubles.get(service);
    if (known?.reason === reason && known.hasList === hasList) return;
    this.#troubles.set(service, { reason, hasList });
    if (known === undefined && this.#metrics !== null) {
      const { values } = this.#metrics;
      values[this.#counter] = (values[this.#counter] as number) + 1;
    }
    const message = hasList ? 'service list kept' : 'service list missing';
    this.#logger.warn(message, { registry: this.#name, service, reason });
    this.#judge();
  }

  well(service: string): void {
    if (!this.#troubles.delete(service)) return;
    this.#logger.info('service list is good again', { registry: this.#name, service });
    this.#judge();
  }

  forget(service: string): void {
    if (this.#troubles.delete(service)) this.#judge();
  }

  toHealth(): Health {
    return this.#record.toHealth();
  }

  /** Registries of one name share a gauge: each adds its own. */
  #count(): void {
    if (this.#metrics === null) return;
    const { values } = this.#metrics;
    values[this.#gauge] = (values[this.#gauge] as number) + this.#troubles.size - this.#counted;
    this.#counted = this.#troubles.size;
  }

  #judge(): void {
    this.#count();
    const [first] = this.#troubles;
    if (first === undefined) {
      this.#record.set('ok', '');
      return;
    }
    const hasFailed = [...this.#troubles.values()].some((trouble) => !trouble.hasList);
    const more = this.#troubles.size - 1;
    const reason = `${first[0]}: ${first[1].reason}${more > 0 ? ` (and ${more} more services)` : ''}`;
    this.#record.set(hasFailed ? 'failed' : 'degraded', reason);
  }
}
