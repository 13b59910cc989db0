/** For extension authors: a fake clock, in-memory wires, recorders and contract suites. Public as `heddle/testing`. */
export { createFakeTime, FakeClock } from './fake-clock.ts';
export { fakeHost, fakeHostSet, fakeHosts } from './fake-hosts.ts';
export { type BalancerSuiteOptions, balancerContractSuite } from './suites/balancer-contract-suite.ts';
export { type LimiterSuiteOptions, limiterContractSuite } from './suites/limiter-contract-suite.ts';
export { endpoint, type RegistryFixture, registryContractSuite } from './suites/registry-contract-suite.ts';
export type { SuiteAssertions, SuiteTest } from './suites/suite-test.ts';
