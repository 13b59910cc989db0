import { type Monitor, startMonitor } from '../monitor.ts';
import type { MonitorOptions } from '../options.ts';

/** Settings of a monitor in another process: what can be written as JSON. */
export type AgentOptions = Omit<MonitorOptions, 'signals' | 'onCapture' | 'onEvent' | 'callbacks'>;

const slot = Symbol.for('heddle.attach.agent');

/**
 * Runs in the process that is attached to, called by one evaluation of its inspector: starts the monitor's thread
 * and returns at once. A second call is without effect while the first monitor lives.
 */
export function startAgent(options: AgentOptions): void {
  const holder = globalThis as { [slot]?: Monitor };
  if (holder[slot]?.isRunning === true) return;
  holder[slot] = startMonitor(options);
}
