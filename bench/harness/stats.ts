/** The few statistics the harness needs; an empty list gives null, never NaN. */

/** The middle value; of an even count the mean of the two middle ones. */
export function median(values: readonly number[]): number | null {
  return quantile(values, 0.5);
}

/** Linear between the two nearest ranks; `q` from 0 to 1. */
export function quantile(values: readonly number[], q: number): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const rank = q * (sorted.length - 1);
  const low = sorted[Math.floor(rank)] ?? 0;
  const high = sorted[Math.ceil(rank)] ?? low;
  return low + (high - low) * (rank - Math.floor(rank));
}

export function smallest(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.min(...values);
}

/** Rounds of one contender; null is a round that does not count. */
export type Rounds = readonly (number | null)[];

/** The median of `mine[r] / theirs[r]` over the rounds that count for both: what the machine did in a round cancels. */
export function pairedRatio(mine: Rounds, theirs: Rounds): number | null {
  const ratios: number[] = [];
  for (const [round, value] of mine.entries()) {
    const other = theirs[round] ?? null;
    if (value !== null && other !== null && other > 0) ratios.push(value / other);
  }
  return median(ratios);
}

export function counted(rounds: Rounds): number[] {
  return rounds.filter((value) => value !== null);
}

/** Keeps `digits` significant digits, so that a report does not pretend to more. */
export function rounded(value: number | null, digits = 4): number | null {
  return value === null || !Number.isFinite(value) ? null : Number(value.toPrecision(digits));
}
