import * as v from 'valibot';
import type { Registry, RegistryContext, RegistryDefinition, RegistryDelta } from '../contract/registry.ts';
import type { Health } from '../contract/state.ts';
import { DnsService } from './dns-service.ts';
import { RegistryHealth } from './registry-health.ts';

const delayMs = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(86_400_000));

const config = v.strictObject({
  /** Names to resolve, "name" or "name:port"; without it the service's own name. */
  names: v.optional(v.array(v.pipe(v.string(), v.minLength(1))), []),
  /** For names without a port. */
  port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65535)), 0),
  /** Addresses to ask for: A, AAAA or both. */
  family: v.optional(v.picklist(['v4', 'v6', 'auto']), 'auto'),
  /** Ask for SRV records: names are "_service._proto.name", ports and weights come with the answer. */
  srv: v.optional(v.boolean(), false),
  /** The TTL of the answer counts between these two. */
  minTtlMs: v.optional(delayMs, 5000),
  maxTtlMs: v.optional(delayMs, 300_000),
  /** Waits after failures double from the first to the second. */
  backoffBaseMs: v.optional(delayMs, 1000),
  backoffMaxMs: v.optional(delayMs, 30_000),
});
export type DnsConfig = v.InferOutput<typeof config>;

/**
 * Names resolved over and over. Failures, negative and empty answers keep the last list; `health` says why.
 */
class DnsRegistry implements Registry {
  readonly #config: DnsConfig;
  readonly #context: RegistryContext;
  readonly #health: RegistryHealth;
  readonly #services = new Map<string, DnsService>();

  constructor(given: DnsConfig, context: RegistryContext) {
    this.#config = given;
    this.#context = context;
    this.#health = new RegistryHealth('dns', context.clock, context.logger, context.metrics);
  }

  /** @throws HeddleError ERR_OPTION_INVALID when the names cannot be resolved by their form */
  subscribe(service: string, onDelta: (delta: RegistryDelta) => void): () => void {
    let found = this.#services.get(service);
    if (found === undefined) {
      found = new DnsService(service, this.#config, this.#context, this.#health);
      this.#services.set(service, found);
      found.start();
    }
    const dns = found;
    const unsubscribe = dns.feed.subscribe(onDelta);
    return () => {
      unsubscribe();
      if (dns.feed.listenerCount > 0 || this.#services.get(service) !== dns) return;
      this.#services.delete(service);
      dns.close();
    };
  }

  troubleOf(service: string): string {
    return this.#health.reasonOf(service);
  }

  health(): Health {
    return this.#health.toHealth();
  }

  async close(): Promise<void> {
    for (const service of this.#services.values()) service.close();
    this.#services.clear();
  }
}

export const dnsRegistry: RegistryDefinition<DnsConfig> = {
  name: 'dns',
  config,
  create: (given, context) => new DnsRegistry(given, context),
};
