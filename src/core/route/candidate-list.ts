import type { Conditions } from './conditions.ts';
import { KeyIndex } from './key-index.ts';

/** From here on a list is worth an index; below it asking each route in turn is as fast. */
const minIndexed = 8;

/** Marks a candidate that its key decides alone: nothing is left to ask. */
export const proven = 0x40000000;

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
    const plain: number[] = [];
    const index = new KeyIndex();
    for (const route of list) {
      const exact = (conditions[route] as Conditions).exactKey;
      if (exact === null || exact.source !== source) plain.push(route);
      else index.add(exact, exact.isAll ? route | proven : route);
    }
    index.close();
    this.plain = Int32Array.from(plain);
    this.byKey = index;
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
