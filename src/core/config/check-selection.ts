import type { Cursor } from './cursor.ts';
import { formatPath, missing, type ProblemList } from './problems.ts';
import { refuseTogether } from './repeats.ts';

const maxSubsetKeys = 30;

/** Subsets that contradict themselves: what could never be chosen, or in two ways at once. */
export function checkSubsets(cluster: Cursor, problems: ProblemList): void {
  const subsets = cluster.at('subsets');
  if (subsets.record() === null) return;
  const selectors = subsets.at('selectors').items();
  const known = new Map<string, Cursor>();
  for (const selector of selectors) {
    refuseRepeatedKeys(selector.at('keys'), problems);
    const name = nameOf(textsOf(selector.at('keys')));
    const earlier = known.get(name);
    if (earlier === undefined) known.set(name, selector);
    else if (name !== '') {
      const allowed = `keys that ${formatPath(earlier.path)} does not have already, in any order`;
      problems.add(selector.at('keys').path, selector.at('keys').value, allowed);
    }
  }
  for (const selector of selectors) checkFallbackKeys(selector, known, problems);
  checkDefault(subsets, selectors, problems);
  checkDefaultHosts(cluster, subsets, problems);
  const keys = new Set(selectors.flatMap((selector) => textsOf(selector.at('keys'))));
  if (keys.size > maxSubsetKeys) {
    problems.add(subsets.at('selectors').path, keys.size, `at most ${maxSubsetKeys} different metadata keys`);
  }
}

function refuseRepeatedKeys(place: Cursor, problems: ProblemList): void {
  const seen = new Set<string>();
  for (const key of place.items()) {
    const text = key.text();
    if (text !== null && seen.has(text)) problems.add(key.path, text, 'each metadata key once');
    if (text !== null) seen.add(text);
  }
}

/** `keysSubset` needs fewer keys of its own, and another selector that has exactly those. */
function checkFallbackKeys(
  selector: Cursor,
  known: ReadonlyMap<string, Cursor>,
  problems: ProblemList,
): void {
  const place = selector.at('fallbackKeys');
  const isAsked = selector.at('fallback').value === 'keysSubset';
  if (!isAsked) {
    if (selector.has('fallbackKeys'))
      problems.add(place.path, place.value, 'nothing, as fallback is not "keysSubset"');
    return;
  }
  const keys = textsOf(selector.at('keys'));
  const fewer = textsOf(place);
  if (!selector.has('fallbackKeys')) problems.add(place.path, missing, 'the keys that are asked for instead');
  else if (!fewer.every((key) => keys.includes(key)) || new Set(fewer).size >= new Set(keys).size) {
    problems.add(place.path, place.value, `some of the keys of this selector, not all: ${keys.join(', ')}`);
  } else if (!known.has(nameOf(fewer))) {
    const others = [...known.values()].map((each) => `[${textsOf(each.at('keys')).join(', ')}]`).join(', ');
    problems.add(place.path, place.value, `the keys of another selector; there are ${others}`);
  }
}

function checkDefault(subsets: Cursor, selectors: readonly Cursor[], problems: ProblemList): void {
  const place = subsets.at('default');
  const users = [subsets, ...selectors].filter((each) => each.at('fallback').value === 'default');
  const isEmpty = Object.keys(place.record() ?? {}).length === 0;
  if (users.length > 0 && isEmpty) {
    const user = formatPath((users[0] as Cursor).at('fallback').path);
    problems.add(place.path, place.value ?? missing, `metadata of the hosts that ${user} means`);
  } else if (users.length === 0 && subsets.has('default')) {
    problems.add(place.path, place.value, 'nothing, as no fallback is "default"');
  }
  if (selectors.length === 0 && subsets.at('fallback').value !== 'default') {
    const chosen = subsets.at('selectors');
    problems.add(chosen.path, chosen.value ?? missing, 'at least one selector, or the fallback "default"');
  }
}

/** Where the hosts are known, a default subset without one is a mistake. */
function checkDefaultHosts(cluster: Cursor, subsets: Cursor, problems: ProblemList): void {
  const wanted = subsets.at('default').entries();
  const endpoints = cluster.at('endpoints').items();
  if (cluster.has('discovery') || endpoints.length === 0 || wanted.length === 0) return;
  const hasOne = endpoints.some((endpoint) =>
    wanted.every(([key, value]) => endpoint.at('metadata').at(key).value === value.value),
  );
  if (hasOne) return;
  const place = subsets.at('default');
  problems.add(place.path, place.value, 'metadata that at least one of the endpoints has');
}

/** Keys of one mode that mean nothing in the other. */
export function checkLocality(cluster: Cursor, node: Cursor, problems: ProblemList): void {
  const locality = cluster.at('locality');
  const mode = locality.at('mode').value;
  const idle =
    mode === 'zoneAware' ? ['weights'] : mode === 'weighted' ? ['zone', 'callers', 'minHosts'] : [];
  for (const key of locality.given(idle)) {
    const place = locality.at(key);
    problems.add(place.path, place.value, `nothing, as mode ${String(mode)} has no use for it`);
  }
  const zone = locality.at('zone').value ?? node.at('zone').value ?? '';
  if (mode === 'zoneAware' && zone === '') {
    problems.add(locality.at('zone').path, missing, 'the zone of this mesh, here or as node.zone');
  }
}

export function checkSharding(cluster: Cursor, problems: ProblemList): void {
  const sharding = cluster.at('sharding');
  if (sharding.record() === null) return;
  const sizes = ['fraction', 'size', 'connectionsPerServer'];
  if (sharding.given(sizes).length === 0) problems.add(sharding.path, missing, `one of ${sizes.join(', ')}`);
  refuseTogether(sharding, sizes, problems);
  const clients = sharding.at('clients');
  if (sharding.has('connectionsPerServer') && !sharding.has('clients')) {
    problems.add(clients.path, missing, 'how many meshes share the list out');
  } else if (sharding.has('clients') && !sharding.has('connectionsPerServer')) {
    problems.add(clients.path, clients.value, 'nothing, as connectionsPerServer is not given');
  }
  const scheme = sharding.at('scheme').value;
  const idle = [
    ...(scheme === 'slots' ? [] : ['clientIndex', 'slotKey']),
    ...(scheme === 'ring' ? [] : ['ringPoints']),
  ];
  for (const key of sharding.given(idle)) {
    const place = sharding.at(key);
    problems.add(place.path, place.value, `nothing, as scheme ${String(scheme)} has no use for it`);
  }
}

/** Keys of a set in any order. */
const nameOf = (keys: readonly string[]): string => [...new Set(keys)].sort().join('\u0000');
const textsOf = (place: Cursor): string[] => place.items().flatMap((item) => item.text() ?? []);
