/** What a contract suite needs of a test runner: ava's `test` fits as it is, others with a small adapter. */
export type SuiteTest = (title: string, run: (t: SuiteAssertions) => void | Promise<void>) => unknown;

/** The subset of ava's assertions that the suites use. */
export interface SuiteAssertions {
  is(actual: unknown, expected: unknown, message?: string): unknown;
  deepEqual(actual: unknown, expected: unknown, message?: string): unknown;
  true(actual: unknown, message?: string): unknown;
  false(actual: unknown, message?: string): unknown;
}
