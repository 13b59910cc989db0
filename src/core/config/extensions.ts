import { HeddleError } from '../base/errors.ts';
import type { BalancerDefinition } from '../contract/cluster.ts';
import type { Codec } from '../contract/codec.ts';
import type { HealthCheckDefinition } from '../contract/health-check.ts';
import type { LimiterDefinition } from '../contract/limiter.ts';
import type { NetworkFilterDefinition } from '../contract/network-filter.ts';
import type { RegistryDefinition } from '../contract/registry.ts';
import type { SecretSourceDefinition } from '../contract/secret-source.ts';
import type { StreamFilterDefinition } from '../contract/stream-filter.ts';

/** Every extension that a configuration may name, by kind. `src/standard.ts` holds the built-in ones. */
export interface ExtensionSet {
  readonly codecs: readonly Codec[];
  readonly filters: readonly StreamFilterDefinition[];
  readonly networkFilters: readonly NetworkFilterDefinition[];
  readonly balancers: readonly BalancerDefinition[];
  readonly registries: readonly RegistryDefinition[];
  readonly limiters: readonly LimiterDefinition[];
  readonly healthChecks: readonly HealthCheckDefinition[];
  readonly secretSources: readonly SecretSourceDefinition[];
}

/**
 * What `createMesh(config, { use })` takes: a codec, a stream filter or a network filter as it is (they are told apart by their shape),
 * or a set that names the kind.
 * @example
 * createMesh(config, { use: [myFilter, { balancers: [myBalancer] }] });
 */
export type UsedExtension = Codec | StreamFilterDefinition | NetworkFilterDefinition | Partial<ExtensionSet>;

const kinds = [
  'codecs',
  'filters',
  'networkFilters',
  'balancers',
  'registries',
  'limiters',
  'healthChecks',
  'secretSources',
] as const;

/** @throws HeddleError ERR_EXTENSION_DUPLICATE when two extensions of one kind share a name */
export function mergeExtensions(standard: ExtensionSet, use: readonly UsedExtension[] = []): ExtensionSet {
  const sets: Partial<ExtensionSet>[] = [standard];
  for (const each of use) {
    if ('poolMode' in each) sets.push({ codecs: [each] });
    else if ('stage' in each) sets.push({ filters: [each] });
    else if ('layer' in each) sets.push({ networkFilters: [each] });
    else sets.push(each);
  }
  const merged: Record<string, readonly { readonly name: string }[]> = {};
  for (const kind of kinds) {
    const all = sets.flatMap((set): readonly { readonly name: string }[] => set[kind] ?? []);
    refuseDuplicates(kind, all);
    merged[kind] = all;
  }
  return merged as unknown as ExtensionSet;
}

function refuseDuplicates(kind: string, all: readonly { readonly name: string }[]): void {
  const seen = new Set<string>();
  for (const { name } of all) {
    if (seen.has(name))
      throw new HeddleError('ERR_EXTENSION_DUPLICATE', `${JSON.stringify(name)} in ${kind}`);
    seen.add(name);
  }
}
