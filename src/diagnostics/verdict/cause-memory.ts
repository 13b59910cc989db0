import { fullHeap, thrashing } from './cause-full-heap.ts';
import { at, cause, type Evidence, type Finder, leading, megabytes, percent, summary } from './evidence.ts';
import type { Cause, ProfileSummary, TopFrame } from './verdict-types.ts';

/** A heap that grows or is about to end. */
export const memory: Finder = (evidence) => {
  const { trigger, latest } = evidence;
  // Whether resident memory is heap or buffers at all is for their sizes to say.
  if (trigger.signal === 'memoryPercent') return isMostlyExternal(evidence) ? external(evidence) : undefined;
  if (!['heapUsedBytes', 'heapAfterGcBytes', 'gcHeapPercent', 'heapOfLimitPercent'].includes(trigger.signal))
    return undefined;
  const heap = grownHeap(evidence);
  const guilty = leading(heap);
  const what =
    heap?.kind === 'growth'
      ? 'of what was allocated since growth was suspected and stays'
      : 'of the sampled heap in use';
  const facts = [
    `used heap ${megabytes(latest['heapUsedBytes'] ?? 0)}`,
    ...(guilty ? [`${percent(guilty.share)} ${what} was allocated in ${at(guilty)}`] : []),
    ...(heap?.inlinedInto
      ? [`V8 has inlined it into ${at(heap.inlinedInto)}, which the heap profile names instead`]
      : []),
  ];
  const pending = leakOfPending(evidence, facts);
  if (pending !== undefined) return pending;
  if (guilty === undefined) return undefined;
  if (trigger.signal === 'heapOfLimitPercent') return fullHeap(evidence, guilty, facts);
  if ((latest['gcTimePercent'] ?? 0) >= 30 && evidence.heapTrend.state === 'flat') return thrashing(evidence);
  const text = `The heap grows; what stays alive is allocated in ${at(guilty)}.`;
  return cause(
    'heap-leak',
    text,
    guilty,
    facts,
    'Look at who keeps what this function makes: a cache, list or closure without bound.',
  );
};

const isMostlyExternal = ({ latest }: Evidence): boolean =>
  (latest['externalBytes'] ?? 0) >= 0.5 * (latest['rssBytes'] ?? Number.POSITIVE_INFINITY);

/** Fewer bytes are too few samples. */
const enoughGrowthBytes = 4 * 1024 * 1024;

/** What has grown, where that is known: a large cache that only stands there is no leak. Else all that is in use. */
function grownHeap(evidence: Evidence): ProfileSummary | undefined {
  const growth = summary(evidence, 'growth');
  return growth !== undefined && growth.total >= enoughGrowthBytes ? growth : summary(evidence, 'heap');
}

/** Growth of the heap that is made of promises or timers that nobody ends. */
export function leakOfPending(evidence: Evidence, facts: readonly string[]): Cause | undefined {
  const type = evidence.pendingTypes[0];
  const creator = evidence.pendingCreators[0];
  const heapTop = leading(grownHeap(evidence));
  if (type === undefined || creator === undefined || type.value < 1000) return undefined;
  const isSame = heapTop === undefined || heapTop.share < 0.5 || heapTop.name === creator.name;
  if (!isSame && type.share < 0.9) return undefined;
  const more = [
    ...facts,
    `about ${Math.round(type.value)} pending ${type.name}, ${percent(creator.share)} of them begun in ${at(creator)}`,
  ];
  if (type.name === 'PROMISE') {
    const text = `Promises pile up that never settle; they are made in ${at(creator)}.`;
    return cause(
      'promise-leak',
      text,
      creator,
      more,
      'Give what it waits for a timeout, and settle the promise on every path.',
    );
  }
  return type.name === 'Timeout' ? timers(creator, more) : undefined;
}

export const timers = (creator: TopFrame | undefined, facts: readonly string[]): Cause =>
  cause(
    'timer-leak',
    `Timers pile up that nobody clears; they are set in ${creator ? at(creator) : 'a place that was not seen'}.`,
    creator,
    facts,
    'Clear each timer when what it guards has ended.',
  );

function external(evidence: Evidence): Cause | undefined {
  const backlog = summary(evidence, 'buffers', 'backlog_bytes');
  const made = summary(evidence, 'buffers', 'buffer_bytes');
  const writer = backlog?.functions[0];
  const facts = [`memory outside the heap ${megabytes(evidence.latest['externalBytes'] ?? 0)}`];
  if (writer !== undefined && backlog !== undefined && backlog.total > (made?.total ?? 0) * 0.1) {
    const more = [
      ...facts,
      `${megabytes(backlog.total)} were written past the high-water mark in a few seconds, ${percent(writer.share)} of them by ${at(writer)}`,
    ];
    const text = `Readers are slower than ${at(writer)} writes: the bytes pile up in the write buffers of its connections.`;
    return cause(
      'slow-readers',
      text,
      writer,
      more,
      'Stop writing when write() returns false until "drain", or close readers that do not keep up.',
    );
  }
  const maker = made?.functions[0];
  if (maker === undefined) return unseen(evidence, facts);
  const more = [
    ...facts,
    `${percent(maker.share)} of the new buffers that stay alive are made in ${at(maker)}`,
  ];
  return cause(
    'buffer-leak',
    `Buffers pile up; they are made in ${at(maker)}.`,
    maker,
    more,
    'Look at who keeps them: a slice keeps the whole buffer alive.',
  );
}

/** Memory that grows outside the heap, and not by the ways that are watched. */
function unseen(evidence: Evidence, facts: readonly string[]): Cause {
  const beside = summary(evidence, 'heap')?.functions.find(({ place }) => place !== '');
  const more = beside
    ? [`of the objects in the heap beside it ${percent(beside.share)} were allocated in ${at(beside)}`]
    : [];
  return {
    name: 'not-known',
    text: 'Not known: memory outside the heap grows, but none of it was made by Buffer.alloc, from or concat. Typed arrays, data that Node reads by itself, WebAssembly and native modules make such memory, too.',
    confidence: 'none',
    guilty: undefined,
    evidence: [...facts, ...more],
    advice:
      'Look at who keeps buffers or typed arrays; "heddle profile <pid> snapshot --deep" shows who holds them.',
  };
}

/** Memory outside the heap. */
export const buffers: Finder = (evidence) => {
  if (!['externalBytes', 'arrayBufferBytes', 'rssBytes', 'heapUsedBytes'].includes(evidence.trigger.signal))
    return undefined;
  if (evidence.trigger.signal === 'heapUsedBytes') {
    const cause = external(evidence);
    return cause?.name === 'slow-readers' ? cause : undefined;
  }
  return external(evidence);
};
