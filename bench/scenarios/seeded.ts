import { SeededRandom } from '../../src/core/base/random.ts';

const verbs = [
  'load',
  'merge',
  'render',
  'settle',
  'index',
  'price',
  'match',
  'route',
  'score',
  'expand',
  'align',
  'verify',
];
const nouns = [
  'Ledger',
  'Basket',
  'Quote',
  'Tenant',
  'Invoice',
  'Profile',
  'Segment',
  'Catalog',
  'Ticket',
  'Report',
  'Shard',
  'Offer',
];

/** Names, sizes and times of one program: all from the seed, so that nothing can be learnt by heart. */
export class Seeded {
  readonly #random: SeededRandom;
  readonly #taken = new Set<string>();

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  /** A function name that this program has not used. */
  name(): string {
    for (;;) {
      const verb = verbs[this.int(0, verbs.length - 1)];
      const noun = nouns[this.int(0, nouns.length - 1)];
      const name = `${verb}${noun}${this.int(2, 99)}`;
      if (this.#taken.has(name)) continue;
      this.#taken.add(name);
      return name;
    }
  }

  /** Uniform, both ends included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.#random.next() * (high - low + 1));
  }
}

/** A program that fails in a known way. */
export interface Scenario {
  readonly name: string;
  /** A stall must be captured within 3 s, the rest within 10 s. */
  readonly limitMs: number;
  /** Verdicts that name this trouble. */
  readonly causes: readonly string[];
  readonly nodeFlags?: readonly string[];
  /** The source of the program; it prints `FAULT <epoch ms>` when the trouble begins. */
  program(seeded: Seeded): { readonly source: string; readonly guilty: readonly string[] };
}

/** Calls `run` after the warm-up at a time of the seed, and says so. */
export const faultAt = (seeded: Seeded, run: string): string =>
  `setTimeout(() => { process.stdout.write('FAULT ' + Date.now() + '\\n'); ${run} }, ${seeded.int(11_000, 15_000)});
setInterval(() => {}, 1000);`;
