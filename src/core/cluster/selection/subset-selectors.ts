import { HeddleError } from '../../base/errors.ts';
import type { SubsetsConfig } from '../../contract/cluster-config.ts';

/** Keys that fit into the bits of a small integer. */
const maxSubsetKeys = 30;

type Fallback = 'noFallback' | 'anyEndpoint' | 'default' | 'keysSubset';

/** One selector: bit k of a mask is set when it has the k-th key. */
export interface SubsetSelector {
  readonly fallback: Fallback;
  /** For `keysSubset`: the mask of the selector that is asked next. */
  readonly fallbackMask: number;
}

/** The selectors of a cluster by mask, over the keys of all of them in order. */
export class SubsetSelectors {
  readonly keys: readonly string[];
  readonly byMask: ReadonlyMap<number, SubsetSelector>;
  readonly fallback: Fallback;
  /** One value per key, null where the default subset does not name it. */
  readonly defaultCriteria: readonly (string | null)[];

  /** @throws HeddleError ERR_CONFIG_INVALID for more than 30 keys, or a default subset that is needed and not given */
  constructor(settings: SubsetsConfig) {
    const defaults = settings.default ?? {};
    const named = settings.selectors.flatMap((each) => [...each.keys, ...(each.fallbackKeys ?? [])]);
    this.keys = [...new Set([...named, ...Object.keys(defaults)])].sort();
    if (this.keys.length > maxSubsetKeys) {
      const detail = `subsets: ${this.keys.length} different metadata keys, at most ${maxSubsetKeys} are allowed`;
      throw new HeddleError('ERR_CONFIG_INVALID', detail);
    }
    this.fallback = settings.fallback;
    this.defaultCriteria = this.keys.map(
      (key) => (Object.hasOwn(defaults, key) ? defaults[key] : null) ?? null,
    );
    const selectors = settings.selectors.map(({ keys, fallback, fallbackKeys }): [number, SubsetSelector] => [
      this.#maskOf(keys),
      { fallback: fallback ?? settings.fallback, fallbackMask: this.#maskOf(fallbackKeys ?? []) },
    ]);
    this.byMask = new Map(selectors);
    if (this.uses('default') && Object.keys(defaults).length === 0) {
      const detail = 'subsets: the fall-back "default" needs `default` with at least one key';
      throw new HeddleError('ERR_CONFIG_INVALID', detail);
    }
  }

  /** Whether some selector, or what none of them matches, falls back so. */
  uses(fallback: Fallback): boolean {
    if (this.fallback === fallback) return true;
    for (const selector of this.byMask.values()) if (selector.fallback === fallback) return true;
    return false;
  }

  #maskOf(keys: readonly string[]): number {
    return keys.reduce((mask, key) => mask | (1 << this.keys.indexOf(key)), 0);
  }
}
