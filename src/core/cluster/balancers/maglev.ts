import * as v from 'valibot';
import { type MaglevTable, maglevSteps, maglevTable } from '../../../sharding/index.ts';
import type { BalancerDefinition } from '../../contract/cluster.ts';
import { hashKeys, hashOf } from './hash-key.ts';
import { type LookUpTable, TableBalancer, type TableKind } from './table-balancer.ts';

/** Primes: a table needs one for its size. */
const isPrime = (size: number): boolean => {
  for (let divisor = 2; divisor * divisor <= size; divisor++) if (size % divisor === 0) return false;
  return size > 1;
};

const config = v.strictObject({
  key: hashKeys,
  /** Entries of the table, a prime (65,537; 655,373 above 30,000 hosts). At least as many as hosts are needed; 100 times as many share within a per cent. */
  tableSize: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(2_000_003), v.check(isPrime, 'a prime number')),
  ),
});
type Config = v.InferOutput<typeof config>;

/** More hosts or entries take more than about 5 ms to build. */
const longHosts = 1000;
const longEntries = 100_000;

class Table implements LookUpTable {
  readonly #table: MaglevTable;

  constructor(table: MaglevTable) {
    this.#table = table;
  }

  get size(): number {
    return this.#table.size;
  }

  start(hash: number): number {
    return hash % this.#table.size;
  }

  ownerAt(position: number): number {
    return this.#table.lookUp(position);
  }
}

function kindOf(tableSize: number | undefined): TableKind {
  return {
    empty: new Table(maglevTable([], [])),
    *build(keys, weights) {
      return new Table(yield* maglevSteps(keys, weights, tableSize));
    },
    isLong: (weights) => weights.length > longHosts || (tableSize ?? 0) > longEntries,
  };
}

/** Maglev's table: the fastest look-up and the most even shares; about twice the keys of a ring move with a host. */
export const maglev: BalancerDefinition<Config> = {
  name: 'maglev',
  config,
  create: (given, { random, clock }) =>
    new TableBalancer(kindOf(given.tableSize), hashOf(given.key, random), clock),
};
