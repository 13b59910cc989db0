import { Secret } from '../base/secret.ts';
import type { EffectiveConfig } from '../contract/config.ts';
import { canonicalJson } from './canonical-json.ts';
import { dumpConfig } from './dump.ts';
import { rawOf } from './raw-config.ts';

/** One place where two configurations differ. Plain data, secrets redacted. */
export interface ConfigChange {
  /** As in problems, but things with a name by it: "listeners.ingress.virtualHosts.all.routes[2].timeoutMs". */
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** What stood there (nothing for `added`). */
  readonly before?: unknown;
  /** What stands there (nothing for `removed`). */
  readonly after?: unknown;
}

const maxChanges = 10_000;

/**
 * Every place where two configurations differ, in the order of the first. Lists of things with a name are compared by
 * name, other lists by what stands between their common beginning and their common end; at most 10,000 are told.
 */
export function changesBetween(before: EffectiveConfig, after: EffectiveConfig): ConfigChange[] {
  const changes: ConfigChange[] = [];
  compare('', before, after, changes);
  return changes;
}

function compare(path: string, before: unknown, after: unknown, changes: ConfigChange[]): void {
  if (changes.length >= maxChanges || canonicalJson(before ?? null) === canonicalJson(after ?? null)) return;
  if (before === undefined) changes.push({ path, kind: 'added', after: shown(after) });
  else if (after === undefined) changes.push({ path, kind: 'removed', before: shown(before) });
  else if (Array.isArray(before) && Array.isArray(after)) compareLists(path, before, after, changes);
  else if (isRecord(before) && isRecord(after)) compareRecords(path, before, after, changes);
  else changes.push({ path, kind: 'changed', before: shown(before), after: shown(after) });
}

function compareRecords(path: string, before: object, after: object, changes: ConfigChange[]): void {
  const count = changes.length;
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const place = path === '' ? key : `${path}.${segment(key)}`;
    compare(place, rawOf(before, key), rawOf(after, key), changes);
  }
  // Secrets are equal in a dump and not in truth.
  if (changes.length === count)
    changes.push({ path, kind: 'changed', before: shown(before), after: shown(after) });
}

function compareLists(
  path: string,
  before: readonly unknown[],
  after: readonly unknown[],
  changes: ConfigChange[],
): void {
  const earlier = namesOf(before);
  const later = namesOf(after);
  if (earlier === null || later === null) {
    compareInOrder(path, before, after, changes);
    return;
  }
  for (const [name, each] of earlier) compare(`${path}.${segment(name)}`, each, later.get(name), changes);
  for (const [name, each] of later) {
    if (!earlier.has(name)) compare(`${path}.${segment(name)}`, undefined, each, changes);
  }
  const order = [...later.keys()].filter((name) => earlier.has(name));
  const orderBefore = [...earlier.keys()].filter((name) => later.has(name));
  if (order.join('\n') !== orderBefore.join('\n')) {
    changes.push({ path: `${path} (order)`, kind: 'changed', before: orderBefore, after: order });
  }
}

/** Lists without names: what is new or gone in the middle leaves the rest as it is. */
function compareInOrder(
  path: string,
  before: readonly unknown[],
  after: readonly unknown[],
  changes: ConfigChange[],
): void {
  const old = before.map((each) => canonicalJson(each ?? null));
  const now = after.map((each) => canonicalJson(each ?? null));
  const shorter = Math.min(old.length, now.length);
  let start = 0;
  while (start < shorter && old[start] === now[start]) start++;
  let end = 0;
  while (end < shorter - start && old.at(-1 - end) === now.at(-1 - end)) end++;
  const oldEnd = old.length - end;
  const nowEnd = now.length - end;
  for (let i = start; i < Math.max(oldEnd, nowEnd); i++) {
    compare(`${path}[${i}]`, i < oldEnd ? before[i] : undefined, i < nowEnd ? after[i] : undefined, changes);
  }
}

/** By name; null when something has none or two share one. */
function namesOf(list: readonly unknown[]): Map<string, unknown> | null {
  const byName = new Map<string, unknown>();
  for (const each of list) {
    const name = isRecord(each) ? (each as { name?: unknown; address?: unknown }).name : undefined;
    if (typeof name !== 'string' || byName.has(name)) return null;
    byName.set(name, each);
  }
  return byName;
}

const isRecord = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Secret);

const shown = (value: unknown): unknown => dumpConfig(value as EffectiveConfig);

const segment = (key: string): string => (/^[\w$-]+$/.test(key) ? key : JSON.stringify(key));
