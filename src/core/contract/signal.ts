/**
 * A signal is one measured number of a process, read once per tick and kept in a ring.
 *
 *   source (/proc, inspector, user function) --read--> Signal ring --> rules --> trigger
 */
export type SignalUnit = 'percent' | 'bytes' | 'milliseconds' | 'count' | 'ratio' | 'perSecond';

/** What a signal is, without how it is read: plain data, the same in every thread and in a recording. */
export interface SignalDefinition {
  /** camelCase, unique; its unit is the last word where that is not plain from the name (`stallMs`). */
  readonly name: string;
  readonly unit: SignalUnit;
  /** One sentence for the metrics page and the verdict. */
  readonly description: string;
}

/** A signal of the user's own, read on the application's thread each tick. */
export interface Signal extends SignalDefinition {
  /** Returns the value now, or undefined where it is not known; must not block. A throw counts as undefined. */
  read(): number | undefined;
}

/** All signals of one tick. A signal that could not be read is absent, never 0. */
export interface SignalSample {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly values: Readonly<Record<string, number>>;
}
