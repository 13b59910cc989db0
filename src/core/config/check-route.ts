import { isLess } from './check-clusters.ts';
import type { CheckOptions } from './check-options.ts';
import { checkMatch } from './check-route-match.ts';
import { checkHashPolicies, checkHedge, checkRewrite } from './check-route-policies.ts';
import type { Cursor } from './cursor.ts';
import { missing, type ProblemList } from './problems.ts';
import { refuseTogether } from './repeats.ts';

/** What means something only where a request goes upstream. */
const upstreamKeys = ['rewrite', 'retry', 'hashPolicies', 'mirrors', 'hedge', 'internalRedirect'];
const actions = ['cluster', 'weightedClusters', 'redirect', 'directResponse'];

/** @param clusters names that exist */
export function checkRoute(
  route: Cursor,
  clusters: ReadonlySet<string>,
  options: CheckOptions,
  problems: ProblemList,
): void {
  if (route.record() === null) return;
  if (route.given(actions).length === 0) {
    problems.add(route.path, missing, `one of ${actions.join(', ')}`);
  }
  refuseTogether(route, actions, problems);
  checkCluster(route.at('cluster'), clusters, problems);
  checkShares(route.at('weightedClusters'), clusters, problems);
  checkMatch(route.at('match'), options, problems);
  refuseTogether(route.at('redirect'), ['path', 'prefix'], problems);
  checkRewrite(route, problems);
  checkHashPolicies(route.at('hashPolicies'), problems);
  checkHedge(route, problems);
  for (const mirror of route.at('mirrors').items()) checkCluster(mirror.at('cluster'), clusters, problems);
  const { backoffBaseMs, backoffMaxMs } = route.at('retry').record() ?? {};
  if (isLess(backoffMaxMs, backoffBaseMs)) {
    const place = route.at('retry').at('backoffMaxMs');
    problems.add(place.path, backoffMaxMs, `at least backoffBaseMs, ${String(backoffBaseMs)}`);
  }
  const local = route.given(['redirect', 'directResponse'])[0];
  if (local !== undefined) {
    for (const key of upstreamKeys.filter((name) => isGiven(route.at(name)))) {
      problems.add(route.at(key).path, route.at(key).value, `nothing, as ${local} sends no request upstream`);
    }
  }
}

function checkCluster(place: Cursor, clusters: ReadonlySet<string>, problems: ProblemList): void {
  const name = place.text();
  if (name === null || clusters.has(name)) return;
  problems.add(place.path, name, `the name of a cluster: ${listed(clusters)}`, clusters);
}

function listed(clusters: ReadonlySet<string>): string {
  if (clusters.size === 0) return 'there is none';
  const first: string[] = [];
  for (const name of clusters) {
    if (first.length === 10) return `${first.join(', ')} and ${clusters.size - 10} more`;
    first.push(name);
  }
  return first.join(', ');
}

function checkShares(place: Cursor, clusters: ReadonlySet<string>, problems: ProblemList): void {
  if (!Array.isArray(place.value)) return;
  let sum = 0;
  let isReadable = true;
  for (const share of place.items()) {
    checkCluster(share.at('cluster'), clusters, problems);
    const weight = share.at('weight').value;
    if (typeof weight === 'number') sum += weight;
    else isReadable = false;
  }
  if (isReadable && sum === 0)
    problems.add(place.path, place.value, 'at least one cluster with a weight above 0');
  if (sum > 4_294_967_295) problems.add(place.path, sum, 'weights with a sum of at most 4294967295');
}

/** An empty list is what the effective configuration says for "none". */
function isGiven(place: Cursor): boolean {
  return place.value !== undefined && !(Array.isArray(place.value) && place.value.length === 0);
}
