import type { EffectiveConfig } from '../contract/config.ts';
import { pathKinds, textKinds } from './check-route-match.ts';
import type { Cursor } from './cursor.ts';

/** Fills in the defaults that depend on other keys. Changes the checked draft and returns it, now typed. */
export function complete(draft: Cursor): EffectiveConfig {
  const root = draft.record() as Record<string, unknown> & { $schema?: string };
  delete root.$schema;
  for (const pipeline of [...draft.at('listeners').items(), draft.at('inProcess'), draft.at('ingress')])
    completePipeline(pipeline);
  for (const cluster of draft.at('clusters').items()) {
    setDefault(cluster.at('discovery'), 'service', cluster.at('name').value);
    completeShare(cluster, draft.at('node'));
  }
  return root as unknown as EffectiveConfig;
}

/** Who this mesh is, where a cluster does not say it itself. */
function completeShare(cluster: Cursor, node: Cursor): void {
  setDefault(cluster.at('sharding'), 'zone', node.at('zone').value);
  setDefault(cluster.at('sharding'), 'clientKey', node.at('id').value);
  if (cluster.at('locality').at('mode').value !== 'zoneAware') return;
  setDefault(cluster.at('locality'), 'zone', node.at('zone').value);
  setDefault(cluster.at('locality'), 'minHosts', 6);
}

function completePipeline(pipeline: Cursor): void {
  for (const log of pipeline.at('accessLog').items()) {
    if (!log.has('json')) setDefault(log, 'format', 'heddle');
  }
  for (const host of pipeline.at('virtualHosts').items()) {
    for (const route of host.at('routes').items()) completeMatch(route.at('match'));
  }
}

function completeMatch(match: Cursor): void {
  if (match.given(pathKinds).length === 0) setDefault(match, 'prefix', '/');
  for (const key of ['headers', 'query', 'cookies', 'variables', 'metadata']) {
    for (const each of match.at(key).items()) {
      if (each.given([...textKinds, 'within']).length === 0) setDefault(each, 'present', true);
    }
  }
}

function setDefault(place: Cursor, key: string, value: unknown): void {
  const record = place.record();
  if (record !== null && record[key] === undefined && value !== undefined) record[key] = value;
}
