import type { MessagePort } from 'node:worker_threads';
import type { Signal } from '../../core/contract/signal.ts';
import type { NativeSampler } from '../backends/index.ts';
import type { PendingOptions, PendingTracker } from '../contract.ts';
import type { SharedState } from '../shared-state.ts';
import { type BufferWatch, watchBuffers } from './buffers.ts';
import { sharedNow, startHeartbeat } from './heartbeat.ts';
import { InFlight } from './in-flight.ts';
import { type OfferControl, registerHooks } from './registry.ts';
import { collectStreams } from './streams.ts';
import { UserSignals } from './user-signals.ts';

export interface HooksOptions {
  readonly id: string;
  readonly state: SharedState;
  /** Resource counts by type and user signals go here once per tick. */
  readonly port: MessagePort;
  readonly signals: readonly Signal[];
  readonly startPending: (options: PendingOptions) => PendingTracker;
  /** Pending work is tracked for a moment of every twenty seconds, not only when a rule asks. */
  readonly dutyCycle: boolean;
  /** Lets other processes reach the monitor from now on. */
  readonly offerControl: OfferControl;
  /** Undefined: profiles are taken by the inspector. */
  readonly sampler: NativeSampler | undefined;
}

/**
 * An application that does nothing else pays 60 to 100 % while the hook is on, so 200 ms in 20 s stay below 1 %.
 * What was sampled in earlier windows and still lives is kept.
 */
const dutyCycle: PendingOptions = { everyMs: 20_000, windowMs: 200, sampleEvery: 5 };

/** What the hooks tell once per tick by message, because it has names. */
export interface HookReport {
  readonly type: 'hooks';
  readonly resources: Readonly<Record<string, number>>;
  readonly arrayBufferBytes: number;
  readonly user: Readonly<Record<string, number>>;
  /** Signals of the application that could not be read for the first time, and why. */
  readonly failures?: readonly string[];
}

/** Everything the monitor keeps on the application's thread; `stop` takes it all away again. */
export function installHooks(options: HooksOptions): { stop(): void } {
  const { state } = options;
  const inFlight = new InFlight();
  const windows = new ObservationWindows(options.startPending, options.dutyCycle);
  const unregister = registerHooks(options.id, {
    ...windows.methods(),
    ...(options.sampler && nativeMethods(options.sampler)),
    offerControl: options.offerControl as (argument: never) => void,
    inFlight: () => inFlight.groups(),
    streams: () => collectStreams().groups,
    resources: () => countResources(),
    hold: (limitMs: number) => state.waitFor('resume', limitMs),
  });
  const reader = new UserSignals(options.signals);
  let skip = 0;
  let lastTookMs = 0;
  const answer = (): void => {
    if (skip > 0) {
      skip--;
      return;
    }
    const startMs = sharedNow();
    writeInFlight(state, inFlight);
    options.port.postMessage(report(state, reader, windows));
    // Thousands of handles make this slow (0.1 ms for 10,000 timers): never more than 0.5 % of the thread. Slow once
    // says nothing: on a busy machine the thread may have waited for a core.
    const tookMs = sharedNow() - startMs;
    skip = Math.min(30, Math.floor(Math.min(tookMs, lastTookMs) / 5));
    lastTookMs = tookMs;
  };
  const heartbeat = startHeartbeat(state, { beat: () => inFlight.beat(), answer });
  return {
    stop: () => {
      heartbeat.stop();
      inFlight.stop();
      windows.stop();
      unregister();
    },
  };
}

/** Profiles travel as base64: an evaluation answers with JSON. */
const nativeMethods = (sampler: NativeSampler): Record<string, (argument: never) => unknown> => ({
  startNativeCpu: (sampling: Parameters<NativeSampler['startCpu']>[0]) => sampler.startCpu(sampling),
  stopNativeCpu: () => Buffer.from(sampler.stopCpu()).toString('base64'),
  startNativeHeap: (intervalBytes: number) => sampler.startHeap(intervalBytes),
  nativeHeap: () => Buffer.from(sampler.heap()).toString('base64'),
  stopNativeHeap: () => sampler.stopHeap(),
});

function writeInFlight(state: SharedState, inFlight: InFlight): void {
  inFlight.look();
  const server = inFlight.count('server');
  const client = inFlight.count('client');
  state.set('serverInFlight', server.count);
  state.set('serverOldestStartMs', server.oldestStartMs);
  state.set('clientInFlight', client.count);
  state.set('clientOldestStartMs', client.oldestStartMs);
  const streams = collectStreams();
  state.set('pendingStreams', streams.count);
  state.set('streamOldestStartMs', streams.count === 0 ? 0 : sharedNow() - streams.oldestMs);
}

function report(state: SharedState, signals: UserSignals, windows: ObservationWindows): HookReport {
  const resources = countResources();
  let total = 0;
  for (const count of Object.values(resources)) total += count;
  state.set('activeResources', total);
  state.set('pendingEstimate', windows.pendingCount());
  const { user, failures } = signals.read();
  const { arrayBuffers } = process.memoryUsage();
  state.set('arrayBufferBytes', arrayBuffers);
  const told = failures.length === 0 ? {} : { failures };
  return { type: 'hooks', resources, arrayBufferBytes: arrayBuffers, user, ...told };
}

/** Active resources by type, e.g. `{ Timeout: 3, TCPSocketWrap: 12 }`. */
function countResources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const type of process.getActiveResourcesInfo()) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}

/** The observations that cost something and run only for the seconds of a capture. */
class ObservationWindows {
  readonly #startPending: (options: PendingOptions) => PendingTracker;
  readonly #duty: PendingTracker | undefined;
  #pending: PendingTracker | undefined;
  #buffers: BufferWatch | undefined;

  constructor(startPending: (options: PendingOptions) => PendingTracker, hasDuty: boolean) {
    this.#startPending = startPending;
    this.#duty = hasDuty ? startPending(dutyCycle) : undefined;
  }

  pendingCount(): number {
    return (this.#duty ?? this.#pending)?.count() ?? 0;
  }

  methods(): Record<string, (argument: never) => unknown> {
    return {
      startPending: (pending: PendingOptions | undefined) => {
        this.#pending ??= this.#startPending(pending ?? {});
        return true;
      },
      dumpPending: () => (this.#pending ?? this.#duty)?.dump(),
      stopPending: () => {
        this.#pending?.stop();
        this.#pending = undefined;
      },
      startBuffers: () => {
        this.#buffers ??= watchBuffers();
        return true;
      },
      dumpBuffers: () => this.#buffers?.dump(),
      stopBuffers: () => {
        this.#buffers?.stop();
        this.#buffers = undefined;
      },
    };
  }

  stop(): void {
    this.#duty?.stop();
    this.#pending?.stop();
    this.#buffers?.stop();
    this.#pending = undefined;
    this.#buffers = undefined;
  }
}
