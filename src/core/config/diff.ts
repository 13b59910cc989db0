import type { EffectiveConfig } from '../contract/config.ts';
import { canonicalJson } from './canonical-json.ts';

const partNames = [
  'inProcess',
  'ingress',
  'admin',
  'monitor',
  'log',
  'buffers',
  'node',
  'lastGood',
  'publications',
] as const;

/** What differs between two configurations, by name. */
export interface ConfigDiff {
  readonly listeners: NamedDiff;
  readonly clusters: NamedDiff;
  /** Parts without a name that differ. */
  readonly parts: readonly (typeof partNames)[number][];
  /** Nothing differs. */
  readonly isEqual: boolean;
}

interface NamedDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly ChangedObject[];
  readonly unchanged: readonly string[];
}

interface ChangedObject {
  readonly name: string;
  /** Its keys that differ, e.g. ["filters", "virtualHosts"]: what may stay as it is. */
  readonly keys: readonly string[];
}

/** Compares by value: the order of keys means nothing, the order of lists does. */
export function diffConfig(before: EffectiveConfig, after: EffectiveConfig): ConfigDiff {
  const listeners = diffNamed(before.listeners, after.listeners);
  const clusters = diffNamed(before.clusters, after.clusters);
  const parts = partNames.filter((name) => canonicalJson(before[name]) !== canonicalJson(after[name]));
  return { listeners, clusters, parts, isEqual: parts.length === 0 && isSame(listeners) && isSame(clusters) };
}

function isSame(diff: NamedDiff): boolean {
  return diff.added.length + diff.removed.length + diff.changed.length === 0;
}

function diffNamed(
  before: readonly { readonly name: string }[],
  after: readonly { readonly name: string }[],
): NamedDiff {
  const earlier = new Map(before.map((each) => [each.name, each]));
  const later = new Set(after.map((each) => each.name));
  const diff = {
    added: [] as string[],
    removed: [] as string[],
    changed: [] as ChangedObject[],
    unchanged: [] as string[],
  };
  for (const each of after) {
    const old = earlier.get(each.name);
    const keys = old === undefined ? [] : changedKeys(old, each);
    if (old === undefined) diff.added.push(each.name);
    else if (keys.length > 0) diff.changed.push({ name: each.name, keys });
    else diff.unchanged.push(each.name);
  }
  for (const each of before) if (!later.has(each.name)) diff.removed.push(each.name);
  return diff;
}

function changedKeys(before: object, after: object): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].filter(
    (key) => canonicalJson(valueAt(before, key)) !== canonicalJson(valueAt(after, key)),
  );
}

const valueAt = (object: object, key: string): unknown => (object as Record<string, unknown>)[key];
