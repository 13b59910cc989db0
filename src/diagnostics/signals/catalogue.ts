import type { SignalDefinition, SignalUnit } from '../../core/contract/signal.ts';

const define = (name: string, unit: SignalUnit, description: string): SignalDefinition => ({
  name,
  unit,
  description,
});

/** Every built-in signal. Rules, metrics and verdicts use these names; `resource:<Type>` and `user:<name>` join them. */
export const signalCatalogue: readonly SignalDefinition[] = [
  define('cpuPercent', 'percent', 'CPU time of the process; 100 is one core'),
  define('cpuOfLimitPercent', 'percent', 'CPU time of the process over the cores it may use'),
  define('mainCpuPercent', 'percent', 'CPU time of the main thread'),
  define('monitorCpuPercent', 'percent', 'CPU time of the thread of the monitor itself'),
  define('rssBytes', 'bytes', 'resident memory of the process'),
  define(
    'memoryPercent',
    'percent',
    'resident memory over the limit (the lowest of cgroup, its memory.high, machine)',
  ),
  define('memoryLimitBytes', 'bytes', 'the memory limit that counts'),
  define('heapUsedBytes', 'bytes', 'used JavaScript heap of the main thread, garbage included'),
  define('heapAfterGcBytes', 'bytes', 'used JavaScript heap right after the last major collection'),
  define('heapOfLimitPercent', 'percent', 'used JavaScript heap over the old-space limit'),
  define('externalBytes', 'bytes', 'memory outside the heap that JavaScript objects hold'),
  define('arrayBufferBytes', 'bytes', 'memory of ArrayBuffers and Buffers'),
  define('loopDelayP50Ms', 'milliseconds', 'median delay of the event loop in the last tick'),
  define('loopDelayP99Ms', 'milliseconds', '99th percentile of the delay of the event loop in the last tick'),
  define('loopDelayMaxMs', 'milliseconds', 'longest delay of the event loop in the last tick'),
  define('loopUtilization', 'ratio', 'share of the tick in which the event loop was busy'),
  define('stallMs', 'milliseconds', 'how long the event loop has not turned, without waiting for a core'),
  define('gcTimePercent', 'percent', 'share of the tick spent in collections'),
  define('gcPauseMs', 'milliseconds', 'time spent in collections since start'),
  define('gcPauseMaxMs', 'milliseconds', 'longest collection of the last tick'),
  define('majorGcCount', 'count', 'major collections since start'),
  define('minorGcCount', 'count', 'minor collections since start'),
  define('activeResources', 'count', 'resources that keep the event loop alive'),
  define('threads', 'count', 'threads of the process'),
  define('fileDescriptors', 'count', 'open file descriptors'),
  define('serverInFlight', 'count', 'requests received whose answer has not begun'),
  define('serverOldestMs', 'milliseconds', 'age of the oldest such request'),
  define('clientInFlight', 'count', 'requests sent whose answer has not ended'),
  define('clientOldestMs', 'milliseconds', 'age of the oldest such request'),
  define('pendingStreams', 'count', 'streams of a mesh that have not ended'),
  define('streamOldestMs', 'milliseconds', 'age of the oldest such stream'),
  define(
    'pendingCount',
    'count',
    'active resources, calls in flight, streams and tracked pending work together',
  ),
  define('throttledPercent', 'percent', 'share of the CPU periods in which the cgroup was throttled'),
  define('throttledMs', 'milliseconds', 'time for which the cgroup was throttled in the last tick'),
];
