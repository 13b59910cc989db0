import type { CaptureTrigger } from '../../core/contract/sink.ts';
import type { Cause, CauseName, ProfileSummary, TopFrame, Waiting } from './verdict-types.ts';

/** Everything that a cause is concluded from. */
export interface Evidence {
  readonly trigger: CaptureTrigger;
  readonly profiles: readonly ProfileSummary[];
  /** CPU time of the trouble: recorder and capture together. */
  readonly cpu: ProfileSummary | undefined;
  /** The source line that executes most; V8 charges native calls (JSON, regular expressions) to it. */
  readonly hotLine: string;
  /** CPU of the main thread during a stall over its length; NaN when not known. */
  readonly stallCpuShare: number;
  readonly latest: Readonly<Record<string, number>>;
  readonly earlier: Readonly<Record<string, number>>;
  /** Pending work by type in brackets, e.g. `PROMISE`, and by creator. */
  readonly pendingTypes: readonly TopFrame[];
  readonly pendingCreators: readonly TopFrame[];
  readonly waiting: readonly Waiting[];
}

type Finder = (evidence: Evidence) => Cause | undefined;

const percent = (share: number): string => `${Math.round(share * 100)} %`;
const megabytes = (bytes: number): string => `${(bytes / 1048576).toFixed(1)} MB`;
const at = (frame: TopFrame): string => (frame.place === '' ? frame.name : `${frame.name} (${frame.place})`);

function summary(evidence: Evidence, kind: string, valueType?: string): ProfileSummary | undefined {
  const fits = (profile: ProfileSummary): boolean =>
    profile.kind === kind &&
    profile.total > 0 &&
    (valueType === undefined || profile.valueType === valueType);
  const candidates = evidence.profiles.filter(fits);
  return candidates.find((profile) => profile.window === 'during' && profile.threadId === 0) ?? candidates[0];
}

const cause = (
  name: CauseName,
  text: string,
  guilty: TopFrame | undefined,
  evidence: readonly string[],
  advice: string,
  confidence: Cause['confidence'] = 'high',
): Cause => ({
  name,
  text,
  confidence: guilty === undefined ? 'medium' : confidence,
  guilty,
  evidence,
  advice,
});

const blocked: Finder = (evidence) => {
  const { trigger, cpu, hotLine, stallCpuShare } = evidence;
  if (trigger.signal !== 'stallMs' && trigger.signal !== 'loopDelayP99Ms') return undefined;
  const stall = summary(evidence, 'stall');
  const guilty = cpu?.functions.find((frame) => frame.place !== '') ?? stall?.functions[0];
  const where = guilty === undefined ? 'a function that could not be sampled' : at(guilty);
  const facts = [
    `${trigger.signal} was ${Math.round(trigger.current)} ms`,
    ...(cpu?.functions[0]
      ? [`${percent(cpu.functions[0].share)} of the CPU time is spent in ${at(cpu.functions[0])}`]
      : []),
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
  if (trigger.signal === 'loopDelayP99Ms') {
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

function collector(
  { latest, earlier }: Evidence,
  cpu: ProfileSummary,
  guilty: TopFrame | undefined,
  facts: readonly string[],
): Cause {
  const who = guilty ? at(guilty) : 'the application';
  const heap = latest['heapUsedBytes'] ?? 0;
  const share = percent(cpu.collectorShare);
  if (heap > 2 * (earlier['heapUsedBytes'] ?? heap)) {
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

/** V8 samples no native function: what the hottest line calls tells which one it was. */
function specialOf(
  hotLine: string,
  where: string,
): { name: CauseName; text: string; advice: string } | undefined {
  if (/\bJSON\.(parse|stringify)\(|\.json\(\)/.test(hotLine)) {
    const text = `A very large JSON document was read or written synchronously in ${where}.`;
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

const thrash: Finder = (evidence) => {
  if (evidence.trigger.signal !== 'gcTimePercent') return undefined;
  const allocations = summary(evidence, 'allocations') ?? summary(evidence, 'heap');
  return thrashing(evidence, allocations?.functions[0]);
};

function thrashing({ latest }: Evidence, guilty: TopFrame | undefined): Cause {
  const text = `The collector took ${Math.round(latest['gcTimePercent'] ?? 0)} % of the time; most memory is allocated by ${guilty ? at(guilty) : 'a place that could not be sampled'}.`;
  const facts =
    guilty === undefined ? [] : [`${percent(guilty.share)} of the sampled allocations are in ${at(guilty)}`];
  return cause(
    'gc-thrash',
    text,
    guilty,
    facts,
    'Allocate less there, keep less alive, or give the heap more room.',
  );
}

const memory: Finder = (evidence) => {
  const { trigger, latest } = evidence;
  const heapSignals = ['heapUsedBytes', 'heapAfterGcBytes', 'heapOfLimitPercent', 'memoryPercent'];
  if (!heapSignals.includes(trigger.signal)) return undefined;
  const leakedBuffers = trigger.signal === 'memoryPercent' ? external(evidence) : undefined;
  if (leakedBuffers !== undefined) return leakedBuffers;
  const heap = summary(evidence, 'heap');
  const guilty = heap?.functions[0];
  const facts = [
    `used heap ${megabytes(latest['heapUsedBytes'] ?? 0)}`,
    ...(guilty ? [`${percent(guilty.share)} of the sampled heap in use was allocated in ${at(guilty)}`] : []),
  ];
  const pending = leakOfPending(evidence, facts);
  if (pending !== undefined) return pending;
  if (guilty === undefined) return undefined;
  const isFlat = (latest['heapAfterGcBytes'] ?? 0) < 1.1 * (evidence.earlier['heapAfterGcBytes'] ?? 0);
  if ((latest['gcTimePercent'] ?? 0) >= 30 && isFlat) return thrashing(evidence, guilty);
  const nearEnd = trigger.signal === 'heapOfLimitPercent' ? ' and is about to run out of memory' : '';
  const text = `The heap grows${nearEnd}; what stays alive is allocated in ${at(guilty)}.`;
  return cause(
    'heap-leak',
    text,
    guilty,
    facts,
    'Look at who keeps what this function makes: a cache, list or closure without bound.',
  );
};

/** Growth of the heap that is made of promises or timers that nobody ends. */
function leakOfPending(evidence: Evidence, facts: readonly string[]): Cause | undefined {
  const type = evidence.pendingTypes[0];
  const creator = evidence.pendingCreators[0];
  const heapTop = summary(evidence, 'heap')?.functions[0];
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

const timers = (creator: TopFrame | undefined, facts: readonly string[]): Cause =>
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
  if (maker === undefined) return undefined;
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

const buffers: Finder = (evidence) => {
  if (!['externalBytes', 'arrayBufferBytes', 'rssBytes', 'heapUsedBytes'].includes(evidence.trigger.signal))
    return undefined;
  if (evidence.trigger.signal === 'heapUsedBytes') {
    const cause = external(evidence);
    return cause?.name === 'slow-readers' ? cause : undefined;
  }
  return external(evidence);
};

const resources: Finder = (evidence) => {
  const { trigger, latest, earlier } = evidence;
  if (!['activeResources', 'fileDescriptors', 'pendingCount'].includes(trigger.signal)) return undefined;
  const rose = (signal: string): number => (latest[signal] ?? 0) - (earlier[signal] ?? 0);
  // Requests that wait hold sockets too: then the waiting is the trouble.
  if (rose('serverInFlight') + rose('clientInFlight') > rose('activeResources') / 4)
    return waitingCause(evidence);
  const grown = Object.keys(latest)
    .filter((name) => name.startsWith('resource:'))
    .map((name) => ({ name: name.slice(9), by: (latest[name] ?? 0) - (earlier[name] ?? 0) }))
    .sort((a, b) => b.by - a.by)[0];
  const creator = creatorOf(evidence, grown?.name);
  const facts = grown === undefined ? [] : [`${grown.name} grew by ${grown.by}`];
  if (creator !== undefined)
    facts.push(`${percent(creator.share)} of the new pending work was begun in ${at(creator)}`);
  if (grown !== undefined && /^(Timeout|Immediate)/.test(grown.name)) return timers(creator, facts);
  if (grown !== undefined && /TCP|Socket|TLS|Pipe|UDP/.test(grown.name) && grown.by >= 50) {
    const text = `Sockets pile up that nobody closes; they are opened in ${creator ? at(creator) : 'a place that was not seen'}.`;
    return cause('socket-leak', text, creator, facts, 'Close or reuse them; set an idle timeout.');
  }
  const text = `${grown && grown.by > 0 ? grown.name : 'Open descriptors'} pile up, begun in ${creator ? at(creator) : 'a place that was not seen'}.`;
  return cause('descriptor-leak', text, creator, facts, 'Close what is opened on every path.', 'medium');
};

/** The creator of the pending work of one type; async_hooks and active resources name types alike but for sockets. */
function creatorOf(evidence: Evidence, type: string | undefined): TopFrame | undefined {
  const wanted = evidence.profiles.filter((profile) => profile.kind === `pending:${type}`)[0]?.functions[0];
  return wanted ?? evidence.pendingCreators[0];
}

const waits: Finder = (evidence) =>
  ['serverInFlight', 'clientInFlight', 'pendingStreams'].includes(evidence.trigger.signal)
    ? waitingCause(evidence)
    : undefined;

function waitingCause(evidence: Evidence): Cause {
  const { waiting, latest } = evidence;
  const creator = creatorOf(evidence, 'PROMISE');
  const facts = waiting
    .slice(0, 5)
    .map(({ what, count, typicalMs }) => `${count} x ${what}, typically ${Math.round(typicalMs)} ms old`);
  if (creator !== undefined)
    facts.push(`${percent(creator.share)} of the pending work was begun in ${at(creator)}`);
  const client = waiting.find(({ what }) => what.startsWith('client '));
  const stream = waiting.find(({ what }) => what.startsWith('stream '));
  const upstream = stream ?? client;
  if (upstream !== undefined && upstream.count >= Math.max(20, (latest['serverInFlight'] ?? 0) * 0.3)) {
    const text = `${upstream.count} calls wait for ${upstream.what}: that upstream is slow or does not answer.`;
    return cause(
      'slow-upstream',
      text,
      creator,
      facts,
      'Give the call a timeout and bound the calls in flight; look at the upstream.',
    );
  }
  const text = `${latest['serverInFlight'] ?? 'Many'} requests wait and no call to an upstream explains it: they wait for each other, on a lock or queue${creator ? ` entered in ${at(creator)}` : ''}.`;
  return cause(
    'lock-contention',
    text,
    creator,
    facts,
    'Look at what holds the lock; "heddle profile <pid> coroutines --deep" shows the exact await chains.',
  );
}

const limits: Finder = ({ trigger }) => {
  if (trigger.signal === 'throttledPercent') {
    const text = `The control group's CPU quota stops the process in ${Math.round(trigger.current)} % of its periods.`;
    return cause('cpu-throttled', text, undefined, [], 'Raise the quota or use fewer threads.');
  }
  if (trigger.signal !== 'memoryPercent') return undefined;
  return cause(
    'memory-limit',
    `Memory is at ${Math.round(trigger.current)} % of its limit.`,
    undefined,
    [],
    'Raise the limit or look at the heap profile.',
  );
};

const requested: Finder = ({ trigger, profiles }) => {
  if (trigger.rule !== 'manual') return undefined;
  const guilty = profiles.find((profile) => profile.functions.length > 0)?.functions[0];
  return cause(
    'requested',
    'The capture was asked for; no rule fired.',
    guilty,
    [],
    'Read the profiles.',
    'medium',
  );
};

/** In this order: the first that explains the trigger wins. */
const finders: readonly Finder[] = [requested, blocked, thrash, buffers, memory, resources, waits, limits];

/** The likely cause, or `not-known` with what is there. */
export function likelyCause(evidence: Evidence): Cause {
  for (const find of finders) {
    const found = find(evidence);
    if (found !== undefined) return found;
  }
  const busiest = evidence.cpu?.functions[0];
  const text = 'Not known: the evidence fits no cause that this monitor recognises.';
  const facts = busiest === undefined ? [] : [`the busiest function was ${at(busiest)}`];
  return {
    name: 'not-known',
    text,
    confidence: 'none',
    guilty: busiest,
    evidence: facts,
    advice: 'Read the profiles beside this page.',
  };
}
