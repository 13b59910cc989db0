import { type ExplainRequest, type Explanation, explainRequest } from './assembly/explain/request.ts';
import type { EffectiveConfig } from './core/contract/config.ts';
import { createMesh, type MeshOptions } from './mesh.ts';

/** Where the request of an explanation comes in. */
export interface ExplainPlace {
  /** Name of a listener. @default every listener with routes, and calls of this process where there is none */
  readonly listener?: string | undefined;
  /** A call of this process. @default false */
  readonly inProcess?: boolean | undefined;
}

/**
 * Tells what would become of a request: listener, virtual host, route, filters, limits, subset, cluster and host, and
 * why not the others. The routes and clusters of the configuration are built as for a run, registries are asked, but
 * nothing listens, no filter runs and hosts are taken for healthy.
 *
 * @throws HeddleError ERR_CONFIG_INVALID, ERR_OPTION_INVALID for a listener that does not exist
 * @example
 * const [told] = await explain(await loadConfigFile('heddle.yaml'), { authority: 'shop.example', path: '/cart' });
 */
export async function explain(
  config: EffectiveConfig,
  request: ExplainRequest,
  place: ExplainPlace = {},
  options: MeshOptions = {},
): Promise<Explanation[]> {
  const clusters = config.clusters.map(({ healthCheck: _, ...rest }) => ({
    ...rest,
    pool: { ...rest.pool, preconnect: 0 },
  }));
  const quiet = { ...config, listeners: [], admin: undefined, lastGood: undefined, clusters };
  await using mesh = await createMesh(quiet, options);
  const subject = { config, runtime: mesh.runtime, clusters: mesh.clusters };
  return placesOf(config, place).map((at) => explainRequest(subject, at, request));
}

/** Names of listeners; null: calls of this process. */
function placesOf({ listeners }: EffectiveConfig, { listener, inProcess }: ExplainPlace): (string | null)[] {
  if (inProcess === true) return [null];
  if (listener !== undefined) return [listener];
  const routed = listeners.filter((each) => each.virtualHosts.length > 0).map((each) => each.name);
  return routed.length > 0 ? routed : [null];
}
