import { startMonitor } from '../monitor.ts';
import type { MonitorOptions } from '../options.ts';

/** Settings of a monitor in another process: what can be written as JSON. */
export type AgentOptions = Omit<MonitorOptions, 'signals' | 'onCapture' | 'onEvent' | 'callbacks'>;

/**
 * Runs in the process that is attached to, called by one evaluation of its inspector: starts the monitor's thread
 * and returns at once. It is called only where no monitor answers on the process's control socket.
 */
export function startAgent(options: AgentOptions): void {
  startMonitor(options);
}
