import { HeddleError } from '../../base/errors.ts';
import type { Balancer, Host, HostSet } from '../../contract/cluster.ts';
import type { Stream } from '../../contract/stream.ts';
import { SubsetGroup } from './subset-group.ts';
import { SubsetSlots } from './subset-slots.ts';

/** Subsets by metadata, with MOSN's and Envoy's fall-back policies. */
export interface SubsetSettings {
  /** Sets of metadata keys; a request is matched when the keys it names are exactly one of them. */
  readonly selectors: readonly (readonly string[])[];
  /** Where a request goes that matches no subset, or one without a host: nowhere, to all hosts, to `defaultSubset`. */
  readonly fallback: 'none' | 'any' | 'default';
  readonly defaultSubset?: Readonly<Record<string, string>> | undefined;
}

/** Subsets that keep a balancer; beyond that the oldest is dropped and made again when it is asked for. */
const maxGroups = 10_000;
/** Keys that fit into the bits of a small integer. */
const maxKeys = 30;
/** Between the values of one key; no value can hold it. */
const separator = '\u0000';

/**
 * Chooses within the subset that the request asks for: `metadata` of its route, overlaid by what filters set on the stream.
 * Only hosts that may be chosen are indexed, so a subset whose hosts are all unhealthy falls back as an empty one does.
 */
export class SubsetBalancer implements Balancer {
  readonly #settings: SubsetSettings;
  readonly #createBalancer: () => Balancer;
  readonly #slots: SubsetSlots;
  readonly #keys: readonly string[];
  /** Per selector: bit k is set when it has the k-th key. */
  readonly #masks: ReadonlySet<number>;
  readonly #groups = new Map<string, SubsetGroup>();
  readonly #byRoute = new WeakMap<object, SubsetGroup>();
  readonly #all: Balancer | null;
  readonly #criteria: (string | null)[];
  readonly #defaultCriteria: readonly (string | null)[];

  /** @throws HeddleError ERR_CONFIG_INVALID for more than 30 keys or a default subset that is not given */
  constructor(settings: SubsetSettings, createBalancer: () => Balancer) {
    const defaults = settings.defaultSubset ?? {};
    const keys = new Set([...settings.selectors.flat(), ...Object.keys(defaults)]);
    this.#keys = [...keys].sort();
    checkKeys(this.#keys, settings);
    this.#settings = settings;
    this.#createBalancer = createBalancer;
    this.#slots = new SubsetSlots(this.#keys);
    this.#masks = new Set(settings.selectors.map((selector) => this.#maskOf(selector)));
    this.#criteria = this.#keys.map(() => null);
    this.#defaultCriteria = this.#keys.map((key) => defaults[key] ?? null);
    this.#all = settings.fallback === 'any' ? createBalancer() : null;
  }

  /** Subsets in use. */
  get groupCount(): number {
    return this.#groups.size;
  }

  update(set: HostSet): void {
    this.#slots.update(set);
    this.#all?.update(set);
  }

  pick(s: Stream | null): Host | null {
    const host = s === null ? null : this.#pickMatching(s);
    return host ?? this.#pickFallback(s);
  }

  #pickFallback(s: Stream | null): Host | null {
    if (this.#all !== null) return this.#all.pick(s);
    return this.#settings.fallback === 'default' ? this.#pickIn(this.#defaultCriteria, s) : null;
  }

  #pickMatching(s: Stream): Host | null {
    // Most streams bring nothing but their route's metadata, an object that lives as long as the route.
    const fixed = s.metadata === null ? s.route?.metadata : undefined;
    const known = fixed === undefined ? undefined : this.#byRoute.get(fixed);
    if (known !== undefined && !known.isDead) return known.pick(s);
    const group = this.#readCriteria(s) ? this.#groupOf(this.#criteria) : null;
    if (group === null) return null;
    if (fixed !== undefined) this.#byRoute.set(fixed, group);
    return group.pick(s);
  }

  #pickIn(criteria: readonly (string | null)[], s: Stream | null): Host | null {
    return this.#groupOf(criteria)?.pick(s) ?? null;
  }

  /** Fills `#criteria` from the stream. @returns whether its keys are a selector's */
  #readCriteria(s: Stream): boolean {
    const fromRoute = s.route?.metadata;
    const fromFilters = s.metadata;
    let mask = 0;
    for (let k = 0; k < this.#keys.length; k++) {
      const key = this.#keys[k] as string;
      const value = fromFilters?.get(key) ?? fromRoute?.[key] ?? null;
      this.#criteria[k] = value;
      if (value !== null) mask |= 1 << k;
    }
    return mask !== 0 && this.#masks.has(mask);
  }

  #groupOf(criteria: readonly (string | null)[]): SubsetGroup | null {
    const name = criteria.join(separator);
    const known = this.#groups.get(name);
    if (known !== undefined && !known.isDead) return known;
    if (known !== undefined) this.#groups.delete(name);
    // Values come from strangers: what no host has is not remembered.
    const subset = this.#slots.index.find(criteria);
    if (subset === null) return null;
    if (this.#groups.size >= maxGroups) this.#groups.delete(this.#groups.keys().next().value as string);
    const group = new SubsetGroup(this.#slots, subset, this.#createBalancer());
    this.#groups.set(name, group);
    return group;
  }

  #maskOf(selector: readonly string[]): number {
    return selector.reduce((mask, key) => mask | (1 << this.#keys.indexOf(key)), 0);
  }
}

function checkKeys(keys: readonly string[], settings: SubsetSettings): void {
  const isDefaultMissing =
    settings.fallback === 'default' && Object.keys(settings.defaultSubset ?? {}).length === 0;
  const problem =
    keys.length > maxKeys
      ? `subsets: ${keys.length} different metadata keys, at most ${maxKeys} are allowed`
      : isDefaultMissing
        ? 'subsets.fallback: "default" needs a defaultSubset with at least one key'
        : null;
  if (problem !== null) throw new HeddleError('ERR_CONFIG_INVALID', problem);
}
