import * as v from 'valibot';
import type { ExtensionSet } from '../../../src/core/config/extensions.ts';
import type { BalancerDefinition } from '../../../src/core/contract/cluster.ts';
import type { Codec } from '../../../src/core/contract/codec.ts';
import type { RegistryDefinition } from '../../../src/core/contract/registry.ts';
import type { StreamFilterDefinition } from '../../../src/core/contract/stream-filter.ts';

const never = (): never => {
  throw new Error('a configuration test creates nothing');
};
const empty = v.strictObject({});

const corsSchema = v.strictObject({
  allowOrigins: v.optional(v.array(v.string()), ['*']),
  maxAgeSeconds: v.optional(v.pipe(v.number(), v.integer()), 600),
});

export function fakeFilter(name: string, config: StreamFilterDefinition['config']): StreamFilterDefinition {
  return { name, stage: 'afterRoute', config, create: never };
}

export function fakeCodec(name: string): Codec {
  return {
    name,
    poolMode: 'pingPong',
    maxConcurrent: 1,
    config: empty,
    match: () => 0,
    server: never,
    client: never,
    hijack: never,
    statusOf: () => 0,
  };
}

/** Names and schemas as the built-in ones have them; nothing can be created. */
export function fakeExtensions(): ExtensionSet {
  const balancer = (name: string, config: BalancerDefinition['config'] = empty): BalancerDefinition => ({
    name,
    config,
    create: never,
  });
  const registry: RegistryDefinition = {
    name: 'file',
    config: v.strictObject({ path: v.string(), debounceMs: v.optional(v.number(), 100) }),
    create: never,
  };
  return {
    codecs: [fakeCodec('http1'), fakeCodec('bolt')],
    filters: [
      fakeFilter('cors', corsSchema),
      fakeFilter('local-rate-limit', v.strictObject({ perSecond: v.number() })),
    ],
    networkFilters: [],
    balancers: [
      balancer('roundRobin'),
      balancer('leastRequest', v.strictObject({ choices: v.optional(v.number(), 2) })),
    ],
    registries: [registry],
    limiters: [],
    healthChecks: [{ name: 'tcp', config: empty, create: never }],
    secretSources: [],
  };
}
