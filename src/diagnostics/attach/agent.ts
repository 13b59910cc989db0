import type { ControlSocket } from '../contract.ts';
import { findOffer } from '../hooks/registry.ts';
import { startMonitor } from '../monitor.ts';
import type { MonitorOptions } from '../options.ts';
import { type Failure, failureOf } from './failure.ts';

/** Settings of a monitor in another process: what can be written as JSON. */
export type AgentOptions = Omit<MonitorOptions, 'signals' | 'onCapture' | 'onEvent' | 'callbacks'>;

/** A monitor was started, or the one that was there already answers from now on. */
export type Arrival = 'started' | 'joined';

/** What comes back through the inspector: an error would come as the text of its stack. */
export type AgentAnswer = Arrival | { readonly failure: Failure };

/**
 * Runs in the process that is attached to, called by one evaluation of its inspector: starts the monitor's thread
 * and returns at once. It is called only where no monitor answers on the process's control socket. One that the
 * application has started itself is told to answer there, and keeps its settings: two would take each other's
 * heap sampler away.
 */
export function startAgent(options: AgentOptions): AgentAnswer {
  const offer = findOffer();
  try {
    if (offer === undefined) {
      startMonitor(options);
      return 'started';
    }
    offer((options.control ?? {}) as ControlSocket);
    return 'joined';
  } catch (error) {
    return { failure: failureOf(error) };
  }
}
