import { HeddleError } from '../core/base/errors.ts';
import { requireConfig } from '../core/config/check.ts';
import type { ExtensionSet } from '../core/config/extensions.ts';
import type { MeshConfig } from '../core/config/input.ts';
import type { ClusterConfig, ListenerConfig } from '../core/contract/config.ts';

/** The cluster that nothing but its name is said of. */
export function defaultCluster(name: string, extensions: ExtensionSet): ClusterConfig {
  const config = requireConfig({ clusters: [{ name }] }, extensions).clusters[0];
  if (config === undefined) throw new HeddleError('ERR_BUG', 'a cluster without defaults');
  return config;
}

/** A listener with its defaults; its routes may name `clusters`. @throws HeddleError ERR_CONFIG_INVALID */
export function completeListener(
  listener: NonNullable<MeshConfig['listeners']>[number],
  clusters: readonly string[],
  extensions: ExtensionSet,
): ListenerConfig {
  const named = [...new Set(clusters)].map((name) => ({ name }));
  const config = requireConfig({ listeners: [listener], clusters: named }, extensions).listeners[0];
  if (config === undefined) throw new HeddleError('ERR_BUG', 'a listener without defaults');
  return config;
}
