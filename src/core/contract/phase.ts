/**
 * The life of a request, in order. Code, docs, metrics, traces and the profile of pending streams use these words.
 * An in-process call enters at `filterBeforeRoute`.
 */
export const phases = [
  'accept',
  'detect',
  'decode',
  'filterBeforeRoute',
  'matchRoute',
  'filterAfterRoute',
  'chooseHost',
  'filterAfterHost',
  'encodeUpstream',
  'awaitUpstream',
  'retry',
  'filterResponse',
  'encodeDownstream',
  'log',
  'done',
  'failConnect',
  'failStream',
  'reset',
] as const;
export type PhaseName = (typeof phases)[number];

/** Phases as small integers, for `stream.phase`. */
export const Phase = {
  accept: 0,
  detect: 1,
  decode: 2,
  filterBeforeRoute: 3,
  matchRoute: 4,
  filterAfterRoute: 5,
  chooseHost: 6,
  filterAfterHost: 7,
  encodeUpstream: 8,
  awaitUpstream: 9,
  retry: 10,
  filterResponse: 11,
  encodeDownstream: 12,
  log: 13,
  done: 14,
  failConnect: 15,
  failStream: 16,
  reset: 17,
} as const satisfies Record<PhaseName, number>;
export type Phase = (typeof Phase)[keyof typeof Phase];
