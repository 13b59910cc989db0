import { checkLocality, checkSharding, checkSubsets } from './check-selection.ts';
import type { Cursor } from './cursor.ts';
import type { ProblemList } from './problems.ts';
import { refuseRepeats } from './repeats.ts';

export function checkClusters(draft: Cursor, problems: ProblemList): void {
  const clusters = draft.at('clusters').items();
  // Unlike other names these are looked up exactly, but two that differ by case only are one mistake waiting.
  refuseRepeats(
    clusters.map((cluster) => cluster.at('name')),
    'cluster',
    problems,
  );
  for (const cluster of clusters) {
    const endpoints = cluster.at('endpoints').items();
    refuseRepeats(
      endpoints.map((endpoint) => endpoint.at('address')),
      'endpoint',
      problems,
    );
    if (cluster.has('discovery') && endpoints.length > 0) {
      problems.add(
        cluster.at('endpoints').path,
        cluster.at('endpoints').value,
        'only one of endpoints, discovery',
      );
    }
    const { baseEjectionMs, maxEjectionMs } = cluster.at('outlierDetection').record() ?? {};
    if (isLess(maxEjectionMs, baseEjectionMs)) {
      const place = cluster.at('outlierDetection').at('maxEjectionMs');
      problems.add(place.path, maxEjectionMs, `at least baseEjectionMs, ${String(baseEjectionMs)}`);
    }
    if (cluster.has('tls') && cluster.has('proxyProtocol')) {
      problems.add(cluster.at('tls').path, 'tls', 'only one of tls, proxyProtocol');
    }
    checkSubsets(cluster, problems);
    checkLocality(cluster, draft.at('node'), problems);
    checkSharding(cluster, problems);
    checkHealthCheck(cluster.at('healthCheck'), problems);
  }
}

/** A check that takes longer than the time to the next one would never be over. */
function checkHealthCheck(check: Cursor, problems: ProblemList): void {
  const { intervalMs, noTrafficIntervalMs } = check.record() ?? {};
  if (isLess(noTrafficIntervalMs, intervalMs)) {
    const place = check.at('noTrafficIntervalMs');
    problems.add(place.path, noTrafficIntervalMs, `at least intervalMs, ${String(intervalMs)}`);
  }
}

export function isLess(a: unknown, b: unknown): boolean {
  return typeof a === 'number' && typeof b === 'number' && a < b;
}
