/**
 * What is wrong with hessian bytes, as negative numbers: functions that return an offset return one of these instead.
 * Order is that of `hessianProblems`.
 */
export const HessianProblem = {
  /** The value does not end within the bytes given. */
  truncated: -1,
  /** A byte that begins no value of the dialect, or a value where another kind must stand. */
  badTag: -2,
  /** Lists, maps and objects nested beyond the limit. */
  tooDeep: -3,
  /** More lists, maps and objects, class definitions or types than the limit. */
  tooMany: -4,
  /** A string or binary beyond the limit. */
  tooLong: -5,
  /** A length that is negative or longer than the bytes that are left. */
  badLength: -6,
  /** A reference to an object, class or type that was not sent before. */
  badReference: -7,
  /** Text that is neither UTF-8 nor CESU-8, or whose length counts half a character. */
  badText: -8,
} as const;
export type HessianProblem = (typeof HessianProblem)[keyof typeof HessianProblem];

const names = [
  'truncated value',
  'unknown tag',
  'nested too deeply',
  'too many objects, classes or types',
  'string or binary too long',
  'bad length',
  'bad reference',
  'bad text',
] as const;

/** In words, for logs and protocol errors. */
export function hessianProblemText(problem: number): string {
  return `hessian: ${names[-1 - problem] ?? 'unknown problem'}`;
}
