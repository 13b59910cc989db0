import type { Stream } from '../contract/stream.ts';
import type { Conditions } from './conditions.ts';

/** From here on a list is worth an index; below it asking each route in turn is as fast. */
const minIndexed = 8;

/** Marks a candidate that its key decides alone: nothing is left to ask. */
export const proven = 0x40000000;

interface KeyIndex {
  read(s: Stream): string | null;
  /** Value to ascending route indexes, some marked `proven`; one number where there is one route. */
  readonly lists: ReadonlyMap<string, readonly number[] | number>;
}

/**
 * Routes that share a literal and differ by conditions, ascending. Where many of them ask for an exact value of one
 * header or variable (RPC routing by service), they are found by that value: 50,000 such routes cost one look-up.
 */
export class CandidateList {
  /** Those that the index does not cover. */
  readonly plain: Int32Array;
  readonly byKey: KeyIndex | null;

  constructor(list: Int32Array, conditions: readonly Conditions[]) {
    const source = commonSource(list, conditions);
    if (source === null) {
      this.plain = list;
      this.byKey = null;
      return;
    }
    const groups = new Map<string, number[]>();
    const plain: number[] = [];
    let read: KeyIndex['read'] = () => null;
    for (const index of list) {
      const exact = (conditions[index] as Conditions).exactKey;
      if (exact === null || exact.source !== source) plain.push(index);
      else {
        read = exact.read;
        const marked = exact.isAll ? index | proven : index;
        const group = groups.get(exact.value);
        if (group === undefined) groups.set(exact.value, [marked]);
        else group.push(marked);
      }
    }
    this.plain = Int32Array.from(plain);
    const lists = new Map<string, readonly number[] | number>();
    for (const [value, group] of groups) lists.set(value, group.length === 1 ? (group[0] as number) : group);
    this.byKey = { read, lists };
  }

  /** The indexed routes that the stream's value of the key picks, or null. */
  chosenBy(s: Stream): readonly number[] | number | null {
    const index = this.byKey as KeyIndex;
    const value = index.read(s);
    return value === null ? null : (index.lists.get(value) ?? null);
  }
}

/** The header or variable that most routes of the list ask an exact value of, when it pays. */
function commonSource(list: Int32Array, conditions: readonly Conditions[]): string | null {
  const counts = new Map<string, number>();
  for (const index of list) {
    const exact = (conditions[index] as Conditions).exactKey;
    if (exact !== null) counts.set(exact.source, (counts.get(exact.source) ?? 0) + 1);
  }
  let best: string | null = null;
  for (const [name, count] of counts) {
    if (count >= minIndexed && count > (best === null ? 0 : (counts.get(best) as number))) best = name;
  }
  return best;
}
