import { type AsyncHook, createHook } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
import { inspect } from 'node:util';
import type { PendingOptions, PendingTracker } from '../contract.ts';
import { captureFrames } from '../hooks/stack.ts';
import { ProfileBuilder, syntheticFrame } from '../pprof/profile-builder.ts';
import type { Profile, ProfileFrame } from '../profile-model.ts';

/** Resources that end within the turn that made them: nothing ever waits on one. */
const passing = new Set(['TickObject', 'Microtask']);
const defaults = { sampleEvery: 50, maxSamplesPerSecond: 200, maxLive: 4096, stackDepth: 24 };

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
 * samples a second and random gaps, so that regular work cannot hide between them. Only the `init` hook is used:
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
  #samples: PendingSample[] = [];
  #every: number;
  /** What `every` may fall back to. */
  #minEvery: number;
  #untilNext: number;
  #secondStartMs = performance.now();
  #samplesThisSecond = 0;
  #isInside = false;

  constructor(options: PendingOptions, random: () => number) {
    this.#options = { ...defaults, ...options };
    this.#random = random;
    this.#every = Math.max(1, this.#options.sampleEvery);
    this.#minEvery = this.#every;
    this.#untilNext = this.#gap();
    const init = (_id: number, type: string, _trigger: number, resource: object): void => {
      if (--this.#untilNext <= 0 && !this.#isInside) this.#take(type, resource, init);
    };
    this.#hook = createHook({ init });
    const { everyMs = 0, windowMs = 1000 } = options;
    this.#dutyFactor = everyMs > windowMs ? everyMs / windowMs : 1;
    this.#hook.enable();
    if (this.#dutyFactor > 1) this.#closeWindow(windowMs, everyMs);
  }

  count(): number {
    let live = 0;
    for (const { resource, weight } of this.#samples) if (resource.deref() !== undefined) live += weight;
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

  #take(type: string, resource: object, hook: (...values: never[]) => unknown): void {
    this.#untilNext = this.#gap();
    if (passing.has(type)) return;
    this.#isInside = true;
    const frames = withoutMakers(captureFrames(hook, this.#options.stackDepth));
    this.#isInside = false;
    const startMs = performance.now();
    const weight = this.#every * this.#dutyFactor;
    if (this.#samples.length >= this.#options.maxLive) this.#thin();
    this.#samples.push({ type, frames, startMs, resource: new WeakRef(resource), weight });
    this.#adapt(startMs);
  }

  /** Geometric gaps: each resource is taken with the same chance of 1 in `every`. */
  #gap(): number {
    return this.#every === 1
      ? 1
      : 1 + Math.floor(Math.log(1 - this.#random()) / Math.log(1 - 1 / this.#every));
  }

  #adapt(nowMs: number): void {
    this.#samplesThisSecond++;
    const { maxSamplesPerSecond } = this.#options;
    if (this.#samplesThisSecond > maxSamplesPerSecond) {
      this.#every *= 2;
      this.#samplesThisSecond = 0;
      this.#secondStartMs = nowMs;
    } else if (nowMs - this.#secondStartMs >= 1000) {
      const isQuiet = this.#samplesThisSecond < maxSamplesPerSecond / 4;
      if (isQuiet) this.#every = Math.max(this.#minEvery, this.#every / 2);
      this.#samplesThisSecond = 0;
      this.#secondStartMs = nowMs;
    }
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
    this.#every *= 2;
    this.#minEvery *= 2;
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
    const facts = { startMs, durationMs, period: this.#every, periodType: count, defaultSampleType: 0 };
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
