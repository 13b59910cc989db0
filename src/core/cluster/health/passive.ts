import { Code } from '../../base/codes.ts';

/** What one finished try says about its host. */
export const Outcome = { success: 0, serverError: 1, unknown: 2 } as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

/** Ends that say nothing about the host: the client, a filter, a limit of ours or a shutdown caused them. */
const notTheHost: ReadonlySet<number> = new Set([
  Code.downstreamClosed,
  Code.downstreamProtocol,
  Code.downstreamIdle,
  Code.requestTimeout,
  Code.headerTimeout,
  Code.headersTooLarge,
  Code.uriTooLong,
  Code.payloadTooLarge,
  Code.noRoute,
  Code.noCluster,
  Code.noHost,
  Code.connectionOverflow,
  Code.pendingOverflow,
  Code.requestOverflow,
  Code.bufferOverflow,
  Code.filterFailed,
  Code.filterClosed,
  Code.draining,
  Code.aborted,
  Code.meshClosed,
  Code.streamIdle,
  Code.maxDuration,
  Code.upgradeRefused,
  Code.transferred,
  Code.locallyClosed,
]);

/**
 * 5xx, failed connects, resets and timeouts count against a host (Envoy's consecutive_5xx with locally originated
 * errors mapped to 5xx); anything it answered otherwise counts for it.
 */
export function outcomeOf(status: number, code: number): Outcome {
  if (code !== Code.none) return notTheHost.has(code) ? Outcome.unknown : Outcome.serverError;
  if (status === 0) return Outcome.unknown;
  return status >= 500 ? Outcome.serverError : Outcome.success;
}
