import { checkClusters } from './check-clusters.ts';
import type { CheckOptions } from './check-options.ts';
import { checkPipeline } from './check-pipeline.ts';
import type { Cursor } from './cursor.ts';
import type { ProblemList } from './problems.ts';
import { refuseRepeats } from './repeats.ts';

/** Checks what a schema cannot see: names that must be unique or exist, and keys that exclude each other. */
export function checkReferences(draft: Cursor, options: CheckOptions, problems: ProblemList): void {
  const names = draft.at('clusters').items();
  const clusters = new Set(names.flatMap((cluster) => cluster.at('name').text() ?? []));
  const listeners = draft.at('listeners').items();
  refuseRepeats(
    listeners.map((listener) => listener.at('name')),
    'listener',
    problems,
  );
  refuseSharedAddresses(draft, problems);
  for (const listener of listeners) {
    checkPipeline(listener, clusters, options, problems);
  }
  checkPipeline(draft.at('inProcess'), clusters, options, problems);
  checkClusters(draft, problems);
}

function refuseSharedAddresses(draft: Cursor, problems: ProblemList): void {
  const places = draft
    .at('listeners')
    .items()
    .map((listener) => listener.at('address'));
  places.push(draft.at('admin').at('address'));
  refuseRepeats(
    places.filter((place) => place.text() !== null && !/^(?!unix:).*:0+$/.test(place.text() as string)),
    'address of a listener',
    problems,
  );
}
