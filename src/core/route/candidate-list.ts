import type { HeadView } from '../base/head-view.ts';
import type { Conditions } from './conditions.ts';
import { headerValue } from './header-value.ts';

/** From here on a list is worth an index; below it asking each route in turn is as fast. */
const minIndexed = 8;

/** Marks a candidate that its header value decides alone: nothing is left to ask. */
export const proven = 0x40000000;

interface HeaderIndex {
  readonly lowerName: string;
  /** Value to ascending route indexes, some marked `proven`; one number where there is one route. */
  readonly lists: ReadonlyMap<string, readonly number[] | number>;
}

/**
 * Routes that share a literal and differ by conditions, ascending. Where many of them ask for an exact value of one
 * header (RPC routing by service), they are found by that value: 50,000 such routes cost one look-up.
 */
export class CandidateList {
  /** Those that the index does not cover. */
  readonly plain: Int32Array;
  readonly byHeader: HeaderIndex | null;

  constructor(list: Int32Array, conditions: readonly Conditions[]) {
    const name = commonHeader(list, conditions);
    if (name === null) {
      this.plain = list;
      this.byHeader = null;
      return;
    }
    const groups = new Map<string, number[]>();
    const plain: number[] = [];
    for (const index of list) {
      const exact = (conditions[index] as Conditions).exactHeader;
      if (exact === null || exact.lowerName !== name) plain.push(index);
      else {
        const marked = exact.isAll ? index | proven : index;
        const group = groups.get(exact.value);
        if (group === undefined) groups.set(exact.value, [marked]);
        else group.push(marked);
      }
    }
    this.plain = Int32Array.from(plain);
    const lists = new Map<string, readonly number[] | number>();
    for (const [value, group] of groups) lists.set(value, group.length === 1 ? (group[0] as number) : group);
    this.byHeader = { lowerName: name, lists };
  }

  /** The indexed routes that the head's value of the header picks, or null. */
  chosenBy(head: HeadView): readonly number[] | number | null {
    const index = this.byHeader as HeaderIndex;
    const value = headerValue(head, index.lowerName);
    return value === null ? null : (index.lists.get(value) ?? null);
  }
}

/** The header that most routes of the list ask an exact value of, when it pays. */
function commonHeader(list: Int32Array, conditions: readonly Conditions[]): string | null {
  const counts = new Map<string, number>();
  for (const index of list) {
    const exact = (conditions[index] as Conditions).exactHeader;
    if (exact !== null) counts.set(exact.lowerName, (counts.get(exact.lowerName) ?? 0) + 1);
  }
  let best: string | null = null;
  for (const [name, count] of counts) {
    if (count >= minIndexed && count > (best === null ? 0 : (counts.get(best) as number))) best = name;
  }
  return best;
}
