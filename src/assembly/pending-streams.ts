import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { phases } from '../core/contract/phase.ts';
import type { Runtime } from './runtime.ts';

/** The monitor's question; see docs/monitor.md. The mesh and the monitor know nothing else of each other. */
const question = 'heddle:monitor:streams';

/** A monitor leaves its hooks under this name; looking there imports nothing of it. */
const hooks = Symbol.for('heddle.monitor.hooks');

/** A monitor runs on this thread. */
export const isMonitored = (): boolean => hooks in globalThis;

interface Collector {
  add(stream: { route: string; upstream: string; phase: string; ageMs: number }): void;
}

/** Answers a monitor of this process with the streams in progress. Returns the function that stops answering. */
export function answerMonitor(runtime: Runtime): () => void {
  const { live } = runtime.proxy;
  if (live === null) return () => {};
  const onQuestion = (message: unknown): void => {
    const nowMs = runtime.clock.now();
    for (const s of live) {
      (message as Collector).add({
        route: s.route?.name ?? '',
        upstream: s.cluster?.name ?? '',
        phase: phases[s.phase] ?? '',
        ageMs: nowMs - s.startMs,
      });
    }
  };
  subscribe(question, onQuestion);
  return () => unsubscribe(question, onQuestion);
}
