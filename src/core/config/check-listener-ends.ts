import type { NetworkFilterDefinition } from '../contract/network-filter.ts';
import { checkOne } from './check-extensions.ts';
import type { Cursor } from './cursor.ts';
import type { ExtensionSet } from './extensions.ts';
import type { ProblemList } from './problems.ts';

/** Network filters, and that what comes in ends somewhere: at a route of the codec or at a terminal network filter. */
export function checkListenerEnds(draft: Cursor, extensions: ExtensionSet, problems: ProblemList): void {
  const clusters = draft
    .at('clusters')
    .items()
    .flatMap((cluster) => cluster.at('name').text() ?? []);
  for (const cluster of draft.at('clusters').items()) {
    const codec = cluster.at('codec');
    if (isDetector(codec, extensions)) refuseDetector(codec, 'the codec of its hosts', problems);
  }
  for (const listener of draft.at('listeners').items()) {
    const filters = listener.at('networkFilters').items();
    const definitions = filters.map((filter) => checkFilter(filter, clusters, extensions, problems));
    const terminal = definitions.findIndex((each) => each?.isTerminal === true);
    if (terminal >= 0 && terminal < filters.length - 1) {
      const place = (filters[terminal] as Cursor).at('name');
      problems.add(place.path, place.value, 'the last place: a terminal network filter ends the list');
    }
    checkDatagrams(listener, definitions, problems);
    checkDetection(listener.at('codec'), extensions, problems);
    if (terminal < 0) requireHosts(listener.at('virtualHosts'), problems);
  }
}

/** Filters of connections have nothing to do where there are none. */
function checkDatagrams(
  listener: Cursor,
  definitions: readonly (NetworkFilterDefinition | null)[],
  problems: ProblemList,
): void {
  const at = definitions.findIndex((each) => each?.createDatagrams !== undefined);
  if (at < 0) return;
  if (definitions.length > 1) {
    const place = listener.at('networkFilters').items()[at]?.at('name');
    problems.add(place?.path ?? listener.path, place?.value, 'the only network filter of its listener');
  }
  const address = listener.at('address');
  if (address.text()?.startsWith('unix:') === true) {
    problems.add(address.path, address.value, '"host:port": datagrams take no unix socket');
  }
}

/** The codecs that a detector chooses from. */
function checkDetection(codec: Cursor, extensions: ExtensionSet, problems: ProblemList): void {
  if (!isDetector(codec, extensions)) return;
  for (const candidate of codec.at('config').at('codecs').items()) {
    checkOne(candidate, extensions.codecs, 'codec', problems);
    if (isDetector(candidate, extensions)) refuseDetector(candidate, 'a codec to choose', problems);
  }
}

function isDetector(codec: Cursor, extensions: ExtensionSet): boolean {
  const name = codec.at('name').text();
  return extensions.codecs.some((each) => each.name === name && each.isDetector === true);
}

function refuseDetector(codec: Cursor, what: string, problems: ProblemList): void {
  const place = codec.at('name');
  problems.add(place.path, place.value, `${what}: this one only finds out which is spoken`);
}

/** Null when nothing can be said of it. */
function checkFilter(
  filter: Cursor,
  clusters: readonly string[],
  extensions: ExtensionSet,
  problems: ProblemList,
): NetworkFilterDefinition | null {
  const before = problems.all.length;
  checkOne(filter, extensions.networkFilters, 'network filter', problems);
  const name = filter.at('name').text();
  const definition = extensions.networkFilters.find((each) => each.name === name) ?? null;
  if (definition?.clusters === undefined || problems.all.length > before) return definition;
  for (const cluster of definition.clusters(filter.at('config').value)) {
    if (clusters.includes(cluster)) continue;
    const known = clusters.slice(0, 10).join(', ') || 'there is none';
    problems.add([...filter.path, 'config'], cluster, `names of clusters: ${known}`, clusters);
  }
  return definition;
}

function requireHosts(place: Cursor, problems: ProblemList): void {
  if (!Array.isArray(place.value) || place.value.length > 0) return;
  problems.add(place.path, [], 'at least one virtual host, as nothing would be answered');
}
