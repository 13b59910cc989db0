import { formatSignal } from '../signals/format.ts';
import { thrashing } from './cause-full-heap.ts';
import { at, cause, type Finder, percent } from './evidence.ts';
import type { ProfileSummary } from './verdict-types.ts';

const signals = new Set(['cpuPercent', 'cpuOfLimitPercent', 'mainCpuPercent', 'loopUtilization']);
/** Below this share no function can be said to be the reason. */
const someShare = 0.15;
const clearShare = 0.4;

/** A processor that is busy, by a rule about its use: the default rules look at what users feel instead. */
export const busy: Finder = (evidence) => {
  const { trigger, latest, profiles } = evidence;
  if (!signals.has(trigger.signal)) return undefined;
  const cpu = ofAllThreads(profiles, trigger.signal) ?? evidence.cpu;
  if (cpu === undefined || cpu.total === 0) return undefined;
  if (cpu.collectorShare > clearShare) return thrashing(evidence);
  const guilty = cpu.functions.find(({ place }) => place !== '');
  const facts = [
    `${trigger.signal} was ${formatSignal(trigger.signal, trigger.current)}`,
    ...['cpuPercent', 'mainCpuPercent']
      .filter((signal) => signal !== trigger.signal && latest[signal] !== undefined)
      .map((signal) => `${signal} was ${formatSignal(signal, latest[signal] ?? 0)}`),
    ...cpu.functions
      .slice(0, 3)
      .map((frame) => `${percent(frame.share)} of the CPU time is spent in ${at(frame)}`),
  ];
  if (guilty === undefined || guilty.share < someShare) {
    const text = 'The processor is busy, and no single function accounts for it.';
    return cause('cpu-use', text, undefined, facts, 'Look at the flame graph of the CPU profile.');
  }
  const text = `${at(guilty)} uses ${percent(guilty.share)} of the CPU time.`;
  const advice = 'Do less there, or spread the work over more processes.';
  return cause('cpu-use', text, guilty, facts, advice, guilty.share >= clearShare ? 'high' : 'medium');
};

/** What the whole process uses is not for the main thread alone to explain. */
const ofAllThreads = (profiles: readonly ProfileSummary[], signal: string): ProfileSummary | undefined =>
  signal.startsWith('cpu')
    ? profiles.find(({ kind, threadId }) => kind === 'cpu' && threadId < 0)
    : undefined;
