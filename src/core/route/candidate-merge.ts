import { proven } from './candidate-list.ts';

const noRoute = 0x7fffffff;

/** Merges ascending candidate lists into one ascending sequence, without allocating. One object a router, reused. */
export class CandidateMerge {
  readonly #lists: ArrayLike<number>[] = [];
  readonly #at: number[] = [];
  #count = 0;
  /** Single candidates stand in lists of one that are kept for it. */
  readonly #ones: number[][] = [];

  reset(): void {
    this.#count = 0;
  }

  add(list: ArrayLike<number>): void {
    if (list.length === 0) return;
    this.#lists[this.#count] = list;
    this.#at[this.#count++] = 0;
  }

  addOne(candidate: number): void {
    let one = this.#ones[this.#count];
    if (one === undefined) {
      one = [0];
      this.#ones[this.#count] = one;
    }
    one[0] = candidate;
    this.add(one);
  }

  /** The next candidate, its `proven` mark kept; 0x7fffffff at the end. */
  next(): number {
    let best = noRoute;
    let from = -1;
    for (let i = 0; i < this.#count; i++) {
      const list = this.#lists[i] as ArrayLike<number>;
      const at = this.#at[i] as number;
      if (at >= list.length) continue;
      const candidate = list[at] as number;
      if (from >= 0 && (candidate & ~proven) >= (best & ~proven)) continue;
      best = candidate;
      from = i;
    }
    if (from >= 0) this.#at[from] = (this.#at[from] as number) + 1;
    return best;
  }
}
