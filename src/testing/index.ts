/** For extension authors: a fake clock, in-memory wires, recorders and contract suites. Public as `heddle/testing`. */
export { CodecBench, fakeCodecContext } from './codec-bench.ts';
export {
  type CodecSamples,
  type ExchangeSample,
  fillRequest,
  fillResponse,
  type MessageSample,
  type RequestSample,
  type ResponseSample,
} from './codec-samples.ts';
export { testBound } from './codecs/test-bound/index.ts';
export { testMux } from './codecs/test-mux/index.ts';
export { createFakeTime, FakeClock } from './fake-clock.ts';
export { fakeHost, fakeHostSet, fakeHosts } from './fake-hosts.ts';
export {
  defaultServerLimits,
  emptyPipeline,
  FakeClientOwner,
  FakeServerOwner,
  silentLogger,
} from './fake-owners.ts';
export { MemoryLink, type MemoryLinkOptions, type MemorySide } from './memory-link.ts';
export { MemorySources } from './memory-sources.ts';
export { MemoryWire } from './memory-wire.ts';
export { Exchange, type RecordedMessage, RecordingSink } from './recording-sink.ts';
export { type BalancerSuiteOptions, balancerContractSuite } from './suites/balancer-contract-suite.ts';
export { type CodecSuiteOptions, codecContractSuite } from './suites/codec-contract-suite.ts';
export { type LimiterSuiteOptions, limiterContractSuite } from './suites/limiter-contract-suite.ts';
export { endpoint, type RegistryFixture, registryContractSuite } from './suites/registry-contract-suite.ts';
export type { SuiteAssertions, SuiteTest } from './suites/suite-test.ts';
