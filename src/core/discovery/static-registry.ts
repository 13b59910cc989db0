import * as v from 'valibot';
import type { Endpoint } from '../contract/cluster.ts';
import type { Registry, RegistryContext, RegistryDefinition, RegistryDelta } from '../contract/registry.ts';
import type { Health } from '../contract/state.ts';
import { endpointSchema } from './endpoint-schema.ts';

const config = v.strictObject({
  /** Served for every service that `services` does not name. */
  endpoints: v.optional(v.array(endpointSchema), []),
  services: v.optional(v.record(v.string(), v.array(endpointSchema)), {}),
});
type Config = v.InferOutput<typeof config>;

/** A list that stands in the configuration: one full delta, nothing after it. */
class StaticRegistry implements Registry {
  readonly #config: Config;
  readonly #sinceMs: number;

  constructor(given: Config, context: RegistryContext) {
    this.#config = given;
    this.#sinceMs = context.clock.wallNow();
  }

  subscribe(service: string, onDelta: (delta: RegistryDelta) => void): () => void {
    const named: readonly Endpoint[] | undefined = Object.hasOwn(this.#config.services, service)
      ? this.#config.services[service]
      : undefined;
    onDelta({
      service,
      version: 1,
      full: true,
      added: named ?? this.#config.endpoints,
      removed: [],
      changed: [],
    });
    return () => {};
  }

  health(): Health {
    return { status: 'ok', reason: '', sinceMs: this.#sinceMs };
  }

  async close(): Promise<void> {}
}

export const staticRegistry: RegistryDefinition<Config> = {
  name: 'static',
  config,
  isFixed: true,
  create: (given, context) => new StaticRegistry(given, context),
};
