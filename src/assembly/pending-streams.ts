import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { PendingStream } from '../core/contract/pending-stream.ts';
import { phases } from '../core/contract/phase.ts';
import type { Runtime } from './runtime.ts';

/** The monitor's question; see docs/monitor.md. The mesh and the monitor know nothing else of each other. */
const question = 'heddle:monitor:streams';

/** A monitor leaves its hooks under this name; looking there imports nothing of it. */
const hooks = Symbol.for('heddle.monitor.hooks');

/** A monitor runs on this thread. */
export const isMonitored = (): boolean => hooks in globalThis;

interface Collector {
  add(stream: PendingStream): void;
}

/** The streams in progress; null where no account of them is kept. */
export function pendingStreams({ proxy, clock }: Runtime): readonly PendingStream[] | null {
  if (proxy.live === null) return null;
  const nowMs = clock.now();
  return [...proxy.live].map((s) => ({
    route: s.route?.name ?? '',
    upstream: s.cluster?.name ?? '',
    phase: phases[s.phase] ?? '',
    ageMs: nowMs - s.startMs,
  }));
}

/** Answers a monitor of this process with the streams in progress. Returns the function that stops answering. */
export function answerMonitor(runtime: Runtime): () => void {
  if (runtime.proxy.live === null) return () => {};
  return answerMonitorBy(() => pendingStreams(runtime) ?? []);
}

/** As `answerMonitor`. @param streams asked each time */
export function answerMonitorBy(streams: () => readonly PendingStream[]): () => void {
  const onQuestion = (message: unknown): void => {
    for (const each of streams()) (message as Collector).add(each);
  };
  subscribe(question, onQuestion);
  return () => unsubscribe(question, onQuestion);
}
