import { dumpConfig } from '../../core/config/dump.ts';
import type { MeshConfig } from '../../core/config/input.ts';
import type { EffectiveConfig } from '../../core/contract/config.ts';

/** Limits of a cluster that count connections and requests of all workers together. */
const breakers = ['maxConnections', 'maxPending', 'maxRequests', 'maxRetries'] as const;

/**
 * The configuration that each of `workers` processes runs, as plain data with its secrets. Limits over all traffic are
 * shared out, rounded up, so that all workers together come to what is configured: connections of a listener, circuit
 * breakers and connections to a host, buffered bytes. 0 stays unlimited. What counts per client
 * (`maxConnectionsPerSource`) stays: the connections of one client may all be with one worker.
 *
 * @param ticketSecret for listeners with TLS that have none: a client that comes back meets any worker
 */
export function configOfWorker(config: EffectiveConfig, workers: number, ticketSecret: string): MeshConfig {
  const plain = dumpConfig(config, { secrets: 'reveal' }) as unknown as Plain;
  for (const { limits, tls } of plain.listeners) {
    shareOut(limits, ['maxConnections'], workers);
    if (tls !== undefined) tls.sessionTickets.secret ??= ticketSecret;
  }
  for (const { circuitBreakers, pool } of plain.clusters) {
    shareOut(circuitBreakers, breakers, workers);
    shareOut(circuitBreakers['retryBudget'] as Numbers | undefined, ['minConcurrent'], workers);
    shareOut(pool, ['maxConnectionsPerHost'], workers);
  }
  shareOut(plain.buffers, ['limitBytes'], workers);
  // The supervisor has it.
  delete plain.admin;
  return plain as unknown as MeshConfig;
}

type Numbers = Record<string, unknown>;

/** A dump, as far as it is changed here. */
interface Plain {
  readonly listeners: readonly {
    readonly limits: Numbers;
    readonly tls?: { readonly sessionTickets: { secret?: string } };
  }[];
  readonly clusters: readonly { readonly circuitBreakers: Numbers; readonly pool: Numbers }[];
  readonly buffers: Numbers;
  admin?: unknown;
}

function shareOut(record: Numbers | undefined, keys: readonly string[], workers: number): void {
  if (record === undefined) return;
  for (const key of keys) {
    const value = record[key];
    if (typeof value === 'number') record[key] = Math.ceil(value / workers);
  }
}
