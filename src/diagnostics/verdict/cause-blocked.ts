import { formatSignal, formatValue } from '../signals/format.ts';
import { at, cause, type Evidence, type Finder, megabytes, percent, summary } from './evidence.ts';
import type { Cause, CauseName, ProfileSummary, TopFrame } from './verdict-types.ts';

const delays = new Set(['loopDelayP50Ms', 'loopDelayP99Ms', 'loopDelayMaxMs']);

/** An event loop that does not turn, or hardly. */
export const blocked: Finder = (evidence) => {
  const { trigger, cpu, hotLine, stallCpuShare } = evidence;
  if (trigger.signal !== 'stallMs' && !delays.has(trigger.signal)) return undefined;
  const stall = summary(evidence, 'stall');
  const guilty = cpu?.functions.find((frame) => frame.place !== '') ?? stall?.functions[0];
  const where = guilty === undefined ? 'a function that could not be sampled' : at(guilty);
  const facts = [
    howLong(evidence),
    ...(Number.isNaN(stallCpuShare)
      ? []
      : [
          `up to the trigger the main thread was on a core for ${percent(Math.min(1, stallCpuShare))} of that time`,
        ]),
    ...(cpu?.functions[0]
      ? [`${percent(cpu.functions[0].share)} of the CPU time is spent in ${at(cpu.functions[0])}`]
      : []),
    ...(evidence.hotPlace === ''
      ? []
      : [`the line that ran most is ${evidence.hotPlace}: \`${evidence.hotLine.trim()}\``]),
    ...(cpu?.stacks[0] ? [`the stack that ran most: ${cpu.stacks[0].frames.slice(0, 4).join(' < ')}`] : []),
  ];
  if (cpu !== undefined && cpu.collectorShare > 0.4) return collector(evidence, cpu, guilty, facts);
  if (stallCpuShare < 0.3) {
    const text = `The event loop stood still in a system call or native code that waits, called from ${where}.`;
    return cause(
      'system-call',
      text,
      guilty,
      facts,
      'Use the asynchronous form of the call, or a worker thread.',
    );
  }
  const special = specialOf(hotLine, where);
  if (special !== undefined) return cause(special.name, special.text, guilty, facts, special.advice);
  if (delays.has(trigger.signal)) {
    const text = `${where} runs in long synchronous stretches again and again and keeps the event loop busy.`;
    return cause('busy-loop', text, guilty, facts, 'Split the work, or move it to a worker thread.');
  }
  const text = `${where} ran synchronously and kept the event loop from turning.`;
  return cause(
    'sync-work',
    text,
    guilty,
    facts,
    'Split the work into pieces, or move it to a worker thread.',
  );
};

function howLong({ trigger, stall }: Evidence): string {
  if (stall === undefined) return `${trigger.signal} was ${formatSignal(trigger.signal, trigger.current)}`;
  const [since, lasted] = [
    new Date(stall.startMs).toISOString().slice(11, 23),
    formatValue(stall.lastedMs, 'milliseconds'),
  ];
  return stall.isOver
    ? `the event loop stood still for about ${lasted}, from ${since} UTC on`
    : `the event loop stood still from ${since} UTC on, and still did ${lasted} later, when the profile ended`;
}

function collector(
  { latest, earlier, heapTrend }: Evidence,
  cpu: ProfileSummary,
  guilty: TopFrame | undefined,
  facts: readonly string[],
): Cause {
  const who = guilty ? at(guilty) : 'the application';
  const heap = latest['heapUsedBytes'] ?? 0;
  const share = percent(cpu.collectorShare);
  if (heapTrend.state !== 'flat' && heap > 2 * (earlier['heapUsedBytes'] ?? heap)) {
    const more = [
      ...facts,
      `the heap rose to ${megabytes(heap)}, and the collector took ${share} of the time`,
    ];
    const text = `${who} fills the heap faster than it can be collected.`;
    return cause('heap-leak', text, guilty, more, 'Bound what this function keeps.');
  }
  const text = `The collector took ${share} of the time; it works for what ${who} allocates.`;
  return cause('gc-thrash', text, guilty, facts, 'Allocate less there, or give the heap more room.');
}

/** A line that calls again and again says nothing about the size of what it calls with. */
const inLoop = /\b(while|for)\s*\(|\.(forEach|map|reduce)\(/;

/** V8 samples no native function: what the hottest line calls tells which one it was. */
function specialOf(
  hotLine: string,
  where: string,
): { name: CauseName; text: string; advice: string } | undefined {
  if (/\bJSON\.(parse|stringify)\(|\.json\(\)/.test(hotLine)) {
    const text = inLoop.test(hotLine)
      ? `JSON is read or written in a loop without a pause in ${where}.`
      : `A very large JSON document was read or written synchronously in ${where}.`;
    return {
      name: 'json',
      text,
      advice: 'Bound the size of the document, stream it, or use a worker thread.',
    };
  }
  if (/\.(exec|test|match|matchAll|replace|replaceAll|search)\(/.test(hotLine)) {
    const text = `A regular expression in ${where} took exponential or very long time on its input.`;
    const advice = 'Bound the input or rewrite the expression without nested repeats.';
    return { name: 'regular-expression', text, advice };
  }
  if (/\b\w+Sync\(/.test(hotLine)) {
    const text = `A synchronous call of Node (…Sync) in ${where} kept the event loop from turning.`;
    return { name: 'native-call', text, advice: 'Use the asynchronous form of the call.' };
  }
  return undefined;
}
