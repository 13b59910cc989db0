/** What a contest finds out: the books, before anything is made of them. */

/** One contender in one round. */
export interface RoundResult {
  /** CPU of the contender per request: all its processes and threads. */
  readonly cpuUs: number;
  readonly userUs: number;
  readonly systemUs: number;
  readonly rps: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Cores that the contender used; 1 is all of its own. */
  readonly utilisation: number;
  /** Cores that generator and backend used; near 1 they are the limit and rps and times say nothing of the contender. */
  readonly loadUtilisation: number;
  /** Cores that other programs used. */
  readonly otherLoad: number;
  readonly stolen: number;
}

export interface ContenderResult {
  readonly name: string;
  readonly version: string | null;
  /** Why it did not take part. */
  readonly reason: string | null;
  /** Null where the round does not count. */
  readonly rounds: readonly (RoundResult | null)[];
  readonly residentMiB: number | null;
  /** Why rounds were void, and promised work that was not done. */
  readonly problems: readonly string[];
}
