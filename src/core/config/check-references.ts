import { checkClusters } from './check-clusters.ts';
import type { CheckOptions } from './check-options.ts';
import { checkPipeline } from './check-pipeline.ts';
import type { Cursor } from './cursor.ts';
import type { ExtensionSet } from './extensions.ts';
import type { ProblemList } from './problems.ts';
import { refuseRepeats } from './repeats.ts';

/** Checks what a schema cannot see: names that must be unique or exist, and keys that exclude each other. */
export function checkReferences(
  draft: Cursor,
  extensions: ExtensionSet,
  options: CheckOptions,
  problems: ProblemList,
): void {
  const names = draft.at('clusters').items();
  const clusters = new Set(names.flatMap((cluster) => cluster.at('name').text() ?? []));
  const listeners = draft.at('listeners').items();
  refuseRepeats(
    listeners.map((listener) => listener.at('name')),
    'listener',
    problems,
  );
  refuseSharedAddresses(draft, extensions, problems);
  for (const listener of listeners) {
    checkPipeline(listener, clusters, options, problems);
  }
  checkPipeline(draft.at('inProcess'), clusters, options, problems);
  checkPipeline(draft.at('ingress'), clusters, options, problems);
  checkClusters(draft, problems);
}

/** A port of TCP and the same of UDP are two. */
function refuseSharedAddresses(draft: Cursor, extensions: ExtensionSet, problems: ProblemList): void {
  const listeners = draft.at('listeners').items();
  const datagrams = listeners.filter((listener) => isDatagramListener(listener, extensions));
  const streams = listeners.filter((listener) => !datagrams.includes(listener));
  refuseShared([...streams.map((each) => each.at('address')), draft.at('admin').at('address')], problems);
  refuseShared(
    datagrams.map((each) => each.at('address')),
    problems,
  );
}

function isDatagramListener(listener: Cursor, extensions: ExtensionSet): boolean {
  const names = listener
    .at('networkFilters')
    .items()
    .map((filter) => filter.at('name').text());
  return extensions.networkFilters.some(
    (each) => names.includes(each.name) && each.createDatagrams !== undefined,
  );
}

function refuseShared(places: readonly Cursor[], problems: ProblemList): void {
  refuseRepeats(
    places.filter((place) => place.text() !== null && !/^(?!unix:).*:0+$/.test(place.text() as string)),
    'address of a listener',
    problems,
  );
}
