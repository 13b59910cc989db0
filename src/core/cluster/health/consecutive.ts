import { Code } from '../../base/codes.ts';
import type { OutlierDetectionConfig } from '../../contract/cluster-health-config.ts';
import type { ClusterHost } from '../host.ts';
import type { EjectionKind } from './ejections.ts';
import { Outcome } from './passive.ts';

/** Absent = off. */
type Settings = Partial<
  Pick<
    OutlierDetectionConfig,
    | 'consecutiveErrors'
    | 'consecutiveGatewayErrors'
    | 'splitLocalOriginErrors'
    | 'consecutiveLocalOriginErrors'
  >
>;

/** Whether any count in a row is kept. */
export function countsInARow(settings: Settings): boolean {
  const { consecutiveErrors = 0, consecutiveGatewayErrors = 0, consecutiveLocalOriginErrors = 0 } = settings;
  const isSplit = settings.splitLocalOriginErrors === true && consecutiveLocalOriginErrors > 0;
  return consecutiveErrors > 0 || consecutiveGatewayErrors > 0 || isSplit;
}

/**
 * Failures in a row, as Envoy counts them: what a host answered, and what it did not answer (connect, reset, timeout).
 * Without the split the latter count as 5xx and as gateway errors; with it they count alone, and only an answer, whatever
 * its status, ends their row.
 * @returns why the host is to be ejected, null when it may stay
 */
export function countInARow(
  host: ClusterHost,
  status: number,
  code: number,
  outcome: Outcome,
  settings: Settings,
): EjectionKind | null {
  if (outcome === Outcome.unknown) return null;
  if (settings.splitLocalOriginErrors === true) {
    if (code !== Code.none) {
      const limit = settings.consecutiveLocalOriginErrors ?? 0;
      return limit > 0 && ++host.consecutiveLocalErrors >= limit ? 'consecutiveLocalOriginErrors' : null;
    }
    host.consecutiveLocalErrors = 0;
  }
  if (outcome === Outcome.success) {
    host.consecutiveErrors = host.consecutiveGatewayErrors = 0;
    return null;
  }
  const isGateway = code !== Code.none || (status >= 502 && status <= 504);
  if (isGateway) host.consecutiveGatewayErrors++;
  else host.consecutiveGatewayErrors = 0;
  host.consecutiveErrors++;
  const { consecutiveErrors = 0, consecutiveGatewayErrors = 0 } = settings;
  if (consecutiveErrors > 0 && host.consecutiveErrors >= consecutiveErrors) return 'consecutiveErrors';
  const isTooMany = consecutiveGatewayErrors > 0 && host.consecutiveGatewayErrors >= consecutiveGatewayErrors;
  return isTooMany ? 'consecutiveGatewayErrors' : null;
}

/** A new row begins: after an ejection, refused or not. */
export function forgetRows(host: ClusterHost): void {
  host.consecutiveErrors = host.consecutiveGatewayErrors = host.consecutiveLocalErrors = 0;
}
