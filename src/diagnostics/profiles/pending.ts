import { type AsyncHook, createHook } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
import { inspect } from 'node:util';
import type { PendingOptions, PendingTracker } from '../contract.ts';
import { captureFrames } from '../hooks/stack.ts';
import { ProfileBuilder, syntheticFrame } from '../pprof/profile-builder.ts';
import type { Profile, ProfileFrame } from '../profile-model.ts';
import { SampleRate } from './sample-rate.ts';

/** Resources that end within the turn that made them: nothing ever waits on one. */
const passing = new Set(['TickObject', 'Microtask']);
const defaults = { sampleEvery: 50, maxSamplesPerSecond: 200, maxLive: 4096, stackDepth: 24 };
/** Handles and requests are few beside promises: each gets a stack until their half of the budget is used up. */
const firstHandleEvery = 1;

interface PendingSample {
  readonly type: string;
  readonly frames: readonly ProfileFrame[];
  readonly startMs: number;
  readonly resource: WeakRef<object>;
  /** Resources that this sample stands for. */
  weight: number;
}

/**
 * Samples async resources at their creation: one in N gets a stack (5 to 12 us), with N adapted to a budget of
 * samples a second and random gaps, so that regular work cannot hide between them. Promises and the rest are counted
 * apart: thirty sockets among a thousand promises would hardly ever be met. Only the `init` hook is used:
 * `destroy` costs 17 % and more. What has ended is found at the dump: collected, settled, or closed.
 *
 * With `everyMs` the hook is on for `windowMs` in each `everyMs` only and each sample stands for that many more.
 */
export function startPending(
  options: PendingOptions = {},
  random: () => number = Math.random,
): PendingTracker {
  return new Tracker(options, random);
}

class Tracker implements PendingTracker {
  readonly #options: PendingOptions & typeof defaults;
  readonly #random: () => number;
  readonly #hook: AsyncHook;
  readonly #startMs = performance.timeOrigin + performance.now();
  readonly #dutyFactor: number;
  #timer: NodeJS.Timeout | undefined;
  readonly #promises: SampleRate;
  readonly #handles: SampleRate;
  #samples: PendingSample[] = [];
  #isInside = false;

  constructor(options: PendingOptions, random: () => number) {
    this.#options = { ...defaults, ...options };
    this.#random = random;
    const { sampleEvery, maxSamplesPerSecond } = this.#options;
    const budget = Math.max(1, maxSamplesPerSecond / 2);
    this.#promises = new SampleRate(Math.max(1, sampleEvery), budget, random);
    this.#handles = new SampleRate(Math.min(sampleEvery, firstHandleEvery), budget, random);
    const init = (_id: number, type: string, _trigger: number, resource: object): void => {
      if (type === 'PROMISE') {
        if (--this.#promises.untilNext <= 0) this.#take(this.#promises, type, resource, init);
      } else if (!passing.has(type) && --this.#handles.untilNext <= 0) {
        this.#take(this.#handles, type, resource, init);
      }
    };
    this.#hook = createHook({ init });
    const { everyMs = 0, windowMs = 1000 } = options;
    this.#dutyFactor = everyMs > windowMs ? everyMs / windowMs : 1;
    this.#hook.enable();
    if (this.#dutyFactor > 1) this.#closeWindow(windowMs, everyMs);
  }

  /** Asked once a tick: what has been collected goes, so that the list stays as short as what is pending. */
  count(): number {
    let live = 0;
    this.#samples = this.#samples.filter(({ resource, weight }) => {
      const isThere = resource.deref() !== undefined;
      if (isThere) live += weight;
      return isThere;
    });
    return Math.round(live);
  }

  dump(): Profile {
    this.#isInside = true;
    try {
      this.#samples = this.#samples.filter(isLive);
      return this.#profileOf(this.#samples);
    } finally {
      this.#isInside = false;
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#hook.disable();
    this.#samples = [];
  }

  #take(rate: SampleRate, type: string, resource: object, hook: (...values: never[]) => unknown): void {
    if (this.#isInside) return;
    this.#isInside = true;
    const frames = withoutMakers(captureFrames(hook, this.#options.stackDepth));
    this.#isInside = false;
    // Node opens a port of its own to each thread that another one has started, such as our encoder's; nobody made it.
    if (type === 'MESSAGEPORT' && frames.length === 0) return;
    const startMs = performance.now();
    const weight = rate.every * this.#dutyFactor;
    if (this.#samples.length >= this.#options.maxLive) this.#thin();
    this.#samples.push({ type, frames, startMs, resource: new WeakRef(resource), weight });
    rate.taken(startMs);
  }

  /**
   * Full of live samples: half of them go by chance and the rest count double, and so do those to come. Equal
   * weights keep the estimate tight, and old and new work in proportion.
   */
  #thin(): void {
    this.#samples = this.#samples.filter(({ resource }) => resource.deref() !== undefined);
    if (this.#samples.length < this.#options.maxLive / 2) return;
    this.#samples = this.#samples.filter(() => this.#random() < 0.5);
    for (const sample of this.#samples) sample.weight *= 2;
    this.#promises.halve();
    this.#handles.halve();
  }

  #closeWindow(windowMs: number, everyMs: number): void {
    this.#timer = setTimeout(() => {
      this.#hook.disable();
      this.#timer = setTimeout(() => {
        this.#hook.enable();
        this.#closeWindow(windowMs, everyMs);
      }, everyMs - windowMs).unref();
    }, windowMs).unref();
  }

  #profileOf(samples: readonly PendingSample[]): Profile {
    const count = { type: 'async_resources', unit: 'count' };
    const builder = new ProfileBuilder([count, { type: 'age', unit: 'nanoseconds' }]);
    const active = activeByType();
    const estimated = new Map<string, number>();
    for (const { type, weight } of samples) estimated.set(type, (estimated.get(type) ?? 0) + weight);
    const nowMs = performance.now();
    for (const { type, frames, startMs, weight } of samples) {
      const known = active.get(type.toUpperCase());
      // An ended request looks alive until it is collected: the runtime's own count of that type is the ceiling.
      const isCounted = known !== undefined || /REQ|CONNECTWRAP$|WRITEWRAP$|SHUTDOWNWRAP$/.test(type);
      const factor = isCounted ? Math.min(1, (known ?? 0) / (estimated.get(type) as number)) : 1;
      if (factor === 0) continue;
      const rootFirst = [syntheticFrame(`[${type}]`), ...frames.toReversed()];
      const node = builder.path(rootFirst.map((frame) => builder.frame(frame)));
      builder.add(node, [weight * factor, weight * factor * (nowMs - startMs) * 1e6]);
    }
    const startMs = this.#startMs;
    const durationMs = performance.timeOrigin + nowMs - startMs;
    const facts = {
      startMs,
      durationMs,
      period: this.#promises.every,
      periodType: count,
      defaultSampleType: 0,
    };
    return builder.build({ kind: 'pending', ...facts });
  }
}

/** `setTimeout` and its like on top of a stack: whoever called them is the creator. */
function withoutMakers(frames: readonly ProfileFrame[]): readonly ProfileFrame[] {
  const first = frames.findIndex(({ url }) => !url.startsWith('node:'));
  return first > 0 ? frames.slice(first) : frames;
}

/** What the runtime counts for nothing, by the names that async_hooks gives the same things. */
function activeByType(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo()) {
    const type = name === 'TCPSocketWrap' ? 'TCPWRAP' : name.toUpperCase();
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
}

function isLive({ type, resource }: PendingSample): boolean {
  const object = resource.deref();
  if (object === undefined) return false;
  if (type === 'PROMISE') return isPending(object);
  return (object as { readonly _destroyed?: unknown })._destroyed !== true;
}

/** `inspect` is the only public way to see a promise's state without waiting for it. About 5 us. */
function isPending(promise: object): boolean {
  const shown = inspect(promise, { depth: 0, customInspect: false, maxStringLength: 1, maxArrayLength: 0 });
  return shown.includes('<pending>');
}
