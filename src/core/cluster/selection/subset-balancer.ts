import type { Balancer, Host, HostSet } from '../../contract/cluster.ts';
import type { SubsetsConfig } from '../../contract/cluster-config.ts';
import type { Stream } from '../../contract/stream.ts';
import { SubsetGroup } from './subset-group.ts';
import { type SubsetSelector, SubsetSelectors } from './subset-selectors.ts';
import { SubsetSlots } from './subset-slots.ts';
import type { FallingBack } from './tiered-balancer.ts';

/** Subsets that keep a balancer; beyond that the oldest is dropped and made again when it is asked for. */
const maxGroups = 10_000;
/** Between the values of one key; no value can hold it. */
const separator = '\u0000';

/**
 * Chooses within the subset that the request asks for: `metadata` of its route, overlaid by what filters set on the stream.
 *
 *   criteria -> selector with exactly these keys -> subset -> its balancer
 *                         none, or no host in it -> noFallback | anyEndpoint | default | keysSubset: again with fewer keys
 *
 * Only hosts that may be chosen are indexed, so a subset whose hosts are all unhealthy falls back as an empty one does.
 */
export class SubsetBalancer implements FallingBack {
  readonly #createBalancer: () => Balancer;
  readonly #selectors: SubsetSelectors;
  readonly #slots: SubsetSlots;
  readonly #groups = new Map<string, SubsetGroup>();
  readonly #byRoute = new WeakMap<object, SubsetGroup>();
  readonly #all: Balancer | null;
  readonly #criteria: (string | null)[];

  /** @throws HeddleError ERR_CONFIG_INVALID for more than 30 keys or a default subset that is not given */
  constructor(settings: SubsetsConfig, createBalancer: () => Balancer) {
    const selectors = new SubsetSelectors(settings);
    this.#selectors = selectors;
    this.#createBalancer = createBalancer;
    this.#slots = new SubsetSlots(selectors.keys);
    this.#criteria = selectors.keys.map(() => null);
    this.#all = selectors.uses('anyEndpoint') ? createBalancer() : null;
  }

  /** Subsets in use. */
  get groupCount(): number {
    return this.#groups.size;
  }

  get isPreparing(): boolean {
    return this.#all?.isPreparing === true;
  }

  update(set: HostSet): void {
    this.#slots.update(set);
    this.#all?.update(set);
  }

  pick(s: Stream | null): Host | null {
    return this.pickMatching(s) ?? this.pickFallback(s);
  }

  /** Within the subset itself, or one with fewer keys that stands in for it: no fall-back to other hosts. */
  pickMatching(s: Stream | null): Host | null {
    if (s === null) return null;
    // Most streams bring nothing but their route's metadata, an object that lives as long as the route.
    const fixed = s.metadata === null || s.metadata.size === 0 ? askedOf(s) : undefined;
    const known = fixed === undefined ? undefined : this.#byRoute.get(fixed);
    if (known !== undefined && !known.isDead) {
      const host = known.pick(s);
      if (host !== null) return host;
    }
    let mask = this.#readCriteria(s);
    let selector = this.#selectors.byMask.get(mask);
    let isFirst = true;
    while (selector !== undefined) {
      const group = this.#groupOf(this.#criteria);
      if (group !== null && fixed !== undefined && isFirst) this.#byRoute.set(fixed, group);
      const host = group?.pick(s) ?? null;
      if (host !== null || selector.fallback !== 'keysSubset') return host;
      mask = this.#keepOnly(selector);
      selector = this.#selectors.byMask.get(mask);
      isFirst = false;
    }
    return null;
  }

  /** Where a stream goes that `pickMatching` found nothing for. */
  pickFallback(s: Stream | null): Host | null {
    switch (s === null ? this.#selectors.fallback : this.#fallbackOf(s)) {
      case 'anyEndpoint':
        return this.#all?.pick(s) ?? null;
      case 'default':
        return this.#groupOf(this.#selectors.defaultCriteria)?.pick(s) ?? null;
      default:
        return null;
    }
  }

  #fallbackOf(s: Stream): SubsetSelector['fallback'] {
    let selector = this.#selectors.byMask.get(this.#readCriteria(s));
    while (selector?.fallback === 'keysSubset') selector = this.#selectors.byMask.get(selector.fallbackMask);
    return selector?.fallback ?? this.#selectors.fallback;
  }

  /** Fills `#criteria` from the stream. @returns the mask of the keys it names */
  #readCriteria(s: Stream): number {
    const fromRoute = askedOf(s);
    const fromFilters = s.metadata;
    const { keys } = this.#selectors;
    let mask = 0;
    for (let k = 0; k < keys.length; k++) {
      const key = keys[k] as string;
      const value = fromFilters?.get(key) ?? fromRoute?.[key] ?? null;
      this.#criteria[k] = value;
      if (value !== null) mask |= 1 << k;
    }
    return mask;
  }

  /** Forgets the criteria that the next selector does not have. @returns its mask */
  #keepOnly({ fallbackMask }: SubsetSelector): number {
    for (let k = 0; k < this.#criteria.length; k++)
      if ((fallbackMask & (1 << k)) === 0) this.#criteria[k] = null;
    return fallbackMask;
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
}

/** What the route asks for, or the weighted target that was drawn. */
function askedOf(s: Stream): Readonly<Record<string, string>> | undefined {
  return s.target?.metadataMatch ?? s.route?.metadataMatch;
}
