import type { MessagePort } from 'node:worker_threads';
import type { Signal } from '../../core/contract/signal.ts';
import type { PendingOptions, PendingTracker } from '../contract.ts';
import type { SharedState } from '../shared-state.ts';
import { type BufferWatch, watchBuffers } from './buffers.ts';
import { sharedNow, startHeartbeat } from './heartbeat.ts';
import { InFlight } from './in-flight.ts';
import { registerHooks } from './registry.ts';
import { collectStreams } from './streams.ts';

/** Beats between two looks at resources, calls in flight and user signals: once a second. */
const slowEvery = 10;

export interface HooksOptions {
  readonly id: string;
  readonly state: SharedState;
  /** Resource counts by type and user signals go here once a second. */
  readonly port: MessagePort;
  readonly signals: readonly Signal[];
  readonly startPending: (options: PendingOptions) => PendingTracker;
}

/** What the hooks tell once a second by message, because it has names. */
export interface HookReport {
  readonly type: 'hooks';
  readonly resources: Readonly<Record<string, number>>;
  readonly arrayBufferBytes: number;
  readonly user: Readonly<Record<string, number>>;
}

/** Everything the monitor keeps on the application's thread; `stop` takes it all away again. */
export function installHooks(options: HooksOptions): { stop(): void } {
  const { state } = options;
  const inFlight = new InFlight();
  const windows = new ObservationWindows(options.startPending);
  const unregister = registerHooks(options.id, {
    ...windows.methods(),
    inFlight: () => inFlight.groups(),
    streams: () => collectStreams().groups,
    resources: () => countResources(),
  });
  let beats = 0;
  let skip = 0;
  const heartbeat = startHeartbeat(state, () => {
    if (beats++ % slowEvery !== 0) return;
    writeInFlight(state, inFlight);
    if (skip > 0) {
      skip--;
      return;
    }
    const startMs = sharedNow();
    options.port.postMessage(report(state, options.signals, windows));
    // Thousands of handles make this slow (0.1 ms for 10,000 timers): never more than 0.5 % of the thread.
    skip = Math.min(30, Math.floor((sharedNow() - startMs) / 5));
  });
  return {
    stop: () => {
      heartbeat.stop();
      inFlight.stop();
      windows.stop();
      unregister();
    },
  };
}

function writeInFlight(state: SharedState, inFlight: InFlight): void {
  const server = inFlight.scan('server');
  const client = inFlight.scan('client');
  state.set('serverInFlight', server.count);
  state.set('serverOldestStartMs', server.oldestStartMs);
  state.set('serverFinished', inFlight.finished('server'));
  state.set('clientInFlight', client.count);
  state.set('clientOldestStartMs', client.oldestStartMs);
  state.set('clientFinished', inFlight.finished('client'));
  const streams = collectStreams();
  state.set('pendingStreams', streams.count);
  state.set('streamOldestStartMs', streams.count === 0 ? 0 : sharedNow() - streams.oldestMs);
}

function report(state: SharedState, signals: readonly Signal[], windows: ObservationWindows): HookReport {
  const resources = countResources();
  let total = 0;
  for (const count of Object.values(resources)) total += count;
  state.set('activeResources', total);
  state.set('pendingEstimate', windows.pendingCount());
  const user: Record<string, number> = {};
  for (const signal of signals) {
    const value = readSafely(signal);
    if (value !== undefined) user[signal.name] = value;
  }
  const { arrayBuffers } = process.memoryUsage();
  state.set('arrayBufferBytes', arrayBuffers);
  return { type: 'hooks', resources, arrayBufferBytes: arrayBuffers, user };
}

function readSafely(signal: Signal): number | undefined {
  try {
    const value = signal.read();
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  } catch {
    return undefined;
  }
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
  #pending: PendingTracker | undefined;
  #buffers: BufferWatch | undefined;

  constructor(startPending: (options: PendingOptions) => PendingTracker) {
    this.#startPending = startPending;
  }

  pendingCount(): number {
    return this.#pending?.count() ?? 0;
  }

  methods(): Record<string, (argument: never) => unknown> {
    return {
      startPending: (pending: PendingOptions | undefined) => {
        this.#pending ??= this.#startPending(pending ?? {});
        return true;
      },
      dumpPending: () => this.#pending?.dump(),
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
    this.#pending?.stop();
    this.#buffers?.stop();
    this.#pending = undefined;
    this.#buffers = undefined;
  }
}
