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
  }
}

export function isLess(a: unknown, b: unknown): boolean {
  return typeof a === 'number' && typeof b === 'number' && a < b;
}
