import type { Rule } from './rule-types.ts';

const minute = 60_000;
const megabyte = 1024 * 1024;

const common = {
  enabled: true,
  durationMs: 3000,
  prepare: [],
  cooldownMs: minute,
  maxPerHour: 6,
  twiceTheLast: false,
  warmUp: true,
} as const;

/**
 * The rules that are on when nothing is said. Each waits until a condition has lasted: a burst, a cache that fills or
 * a large request must not fire. The first number of a rule is where users feel it, the second how long it lasts.
 */
export const defaultRules: readonly Rule[] = [
  {
    ...common,
    name: 'stall',
    type: 'stall',
    aboveMs: 500,
    durationMs: 1000,
    capture: ['cpu', 'before'],
  },
  {
    ...common,
    name: 'busy-loop',
    type: 'hold',
    when: [
      { signal: 'loopDelayP99Ms', above: 100 },
      { signal: 'mainCpuPercent', above: 80 },
    ],
    forMs: 5000,
    capture: ['before', 'cpu'],
  },
  {
    ...common,
    name: 'gc-thrash',
    type: 'hold',
    when: [{ signal: 'gcTimePercent', above: 30 }],
    forMs: 3000,
    durationMs: 1000,
    capture: ['before', 'heap', 'allocations', 'gc'],
  },
  {
    ...common,
    name: 'near-heap-limit',
    type: 'nearLimit',
    signal: 'heapOfLimitPercent',
    from: 60,
    above: 85,
    projectedMs: 1500,
    holdMs: 500,
    warmUp: false,
    capture: ['heap', 'before'],
  },
  {
    ...common,
    name: 'heap-growth',
    type: 'slope',
    signal: 'heapUsedBytes',
    windowMs: 4000,
    minGrowth: 8 * megabyte,
    minGrowthRatio: 0.15,
    confirm: 'gc',
    confirmMs: 1500,
    twiceTheLast: true,
    prepare: ['heap', 'pending', 'buffers'],
    capture: ['heap', 'before', 'pending', 'buffers'],
  },
  {
    ...common,
    name: 'external-growth',
    type: 'slope',
    signal: 'externalBytes',
    windowMs: 3000,
    minGrowth: 12 * megabyte,
    minGrowthRatio: 0.25,
    confirm: 'gc',
    confirmMs: 1500,
    twiceTheLast: true,
    prepare: ['buffers'],
    capture: ['buffers', 'heap'],
  },
  {
    ...common,
    name: 'resource-growth',
    type: 'slope',
    signal: 'activeResources',
    windowMs: 6000,
    minGrowth: 200,
    minGrowthRatio: 1,
    confirm: 'none',
    confirmMs: 0,
    twiceTheLast: true,
    prepare: ['pending'],
    capture: ['in-flight', 'pending', 'heap'],
  },
  {
    ...common,
    name: 'descriptor-growth',
    type: 'slope',
    signal: 'fileDescriptors',
    windowMs: 15_000,
    minGrowth: 500,
    minGrowthRatio: 1,
    confirm: 'none',
    confirmMs: 0,
    twiceTheLast: true,
    prepare: ['pending'],
    capture: ['pending', 'heap'],
  },
  inFlight('requests-waiting', 'serverInFlight', 'serverOldestMs'),
  inFlight('calls-waiting', 'clientInFlight', 'clientOldestMs'),
  inFlight('streams-waiting', 'pendingStreams', 'streamOldestMs'),
  {
    ...common,
    name: 'cpu-throttled',
    type: 'hold',
    when: [{ signal: 'throttledPercent', above: 50 }],
    forMs: 10_000,
    capture: ['before', 'cpu'],
  },
  {
    ...common,
    name: 'memory-limit',
    type: 'hold',
    when: [{ signal: 'memoryPercent', above: 90 }],
    forMs: 3000,
    twiceTheLast: true,
    capture: ['heap', 'buffers'],
  },
];

/** Many wait, the oldest for long, and far more than in the minute before: long polls are many, but always. */
function inFlight(name: string, signal: string, ageSignal: string): Rule {
  return {
    ...common,
    name,
    type: 'deviation',
    signal,
    sigma: 4,
    floor: 50,
    overMs: minute,
    forMs: 3000,
    when: [{ signal: ageSignal, above: 1500 }],
    twiceTheLast: true,
    prepare: ['pending'],
    capture: ['in-flight', 'pending'],
  };
}
