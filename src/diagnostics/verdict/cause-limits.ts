import { at, cause, type Evidence, type Finder, leading, megabytes, percent, summary } from './evidence.ts';
import type { ProfileSummary } from './verdict-types.ts';

/** Of the resident memory, the share that one part must have to be called the reason. */
const mostOfIt = 0.5;

/** A process that its control group or machine gives no more. */
export const limits: Finder = (evidence) => {
  if (evidence.trigger.signal === 'throttledPercent') return throttled(evidence);
  return ['memoryPercent', 'rssBytes'].includes(evidence.trigger.signal) ? resident(evidence) : undefined;
};

function throttled({ trigger, latest, profiles, cpu }: Evidence): ReturnType<Finder> {
  const busiest = everyThread(profiles) ?? cpu;
  const guilty = busiest?.functions.find(({ place }) => place !== '');
  const { throttledMs, cpuPercent, mainCpuPercent } = latest;
  const facts = [
    ...(throttledMs === undefined ? [] : [`${Math.round(throttledMs)} ms of the last tick were lost to it`]),
    ...(cpuPercent === undefined || mainCpuPercent === undefined
      ? []
      : [
          `the process used ${Math.round(cpuPercent)} % of a core, its main thread ${Math.round(mainCpuPercent)} %`,
        ]),
    ...(guilty ? [`${percent(guilty.share)} of the sampled CPU time is spent in ${at(guilty)}`] : []),
  ];
  const where = guilty ? ` Most of what it uses goes to ${at(guilty)}.` : '';
  const text = `The control group's CPU quota stops the process in ${Math.round(trigger.current)} % of its periods: it is slow because it may not run.${where}`;
  return cause('cpu-throttled', text, guilty, facts, 'Raise the quota, use fewer threads, or do less there.');
}

/** All threads where several were sampled. */
const everyThread = (profiles: readonly ProfileSummary[]): ProfileSummary | undefined =>
  profiles.find(({ kind, threadId, window }) => kind === 'cpu' && threadId < 0 && window === 'during');

/** Of what is the resident memory made? Only a part that is most of it is named as the reason. */
function resident(evidence: Evidence): ReturnType<Finder> {
  const { trigger, latest, heapTrend } = evidence;
  const { rssBytes = 0, memoryLimitBytes, heapUsedBytes = 0, externalBytes = 0, threads } = latest;
  const rest = Math.max(0, rssBytes - heapUsedBytes - externalBytes);
  const facts = [
    `resident ${megabytes(rssBytes)}${memoryLimitBytes === undefined ? '' : ` of ${megabytes(memoryLimitBytes)}`}`,
    `of it JavaScript heap ${megabytes(heapUsedBytes)}, buffers and other memory outside it ${megabytes(externalBytes)}, the rest ${megabytes(rest)}${threads === undefined ? '' : ` (code, ${threads} threads, native modules, unused pages)`}`,
  ];
  const head = `Resident memory is at ${amount(evidence)}`;
  if (rssBytes > 0 && heapUsedBytes >= rssBytes * mostOfIt) {
    const guilty = leading(summary(evidence, 'heap'));
    const who = guilty === undefined ? '' : `, most of it allocated in ${at(guilty)}`;
    const name = heapTrend.state === 'grows' ? 'heap-leak' : 'memory-limit';
    const text = `${head}; the larger part is the JavaScript heap${who}.`;
    return cause(name, text, guilty, facts, 'Keep less alive there, or raise the limit.', 'medium');
  }
  if (trigger.signal !== 'memoryPercent') return undefined;
  const text = `${head}. The JavaScript heap is not the larger part of it, so no function can be named.`;
  const advice =
    'Look at native modules, worker threads and WebAssembly, or raise the limit; the heap profile will not show it.';
  return cause('memory-limit', text, undefined, facts, advice);
}

const amount = ({ trigger, latest }: Evidence): string =>
  trigger.signal === 'memoryPercent'
    ? `${Math.round(trigger.current)} % of its limit`
    : megabytes(latest['rssBytes'] ?? trigger.current);
