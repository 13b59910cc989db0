import type { Endpoint } from './cluster.ts';
import type { ConfigSchema, ExtensionContext } from './extension.ts';
import type { Dialer } from './wire.ts';

/**
 * A kind of active health check. When to ask and how many answers it takes is the cluster's; how to ask is this.
 *
 *   cluster: due -> HostProbe.probe(done) -> done(pass | fail | failNow, reason)
 *                                        \-> timeout: HostProbe.cancel()
 *
 * @example
 * export const ping: HealthCheckDefinition = { name: 'ping', config: v.strictObject({}), create: () => (host) => new Ping(host) };
 */
export interface HealthCheckDefinition<Config = unknown> {
  readonly name: string;
  readonly config: ConfigSchema<Config>;
  /** Once a cluster. @returns a maker of probes, called once for each host when it is first checked */
  create(config: Config, context: HealthCheckContext): (host: Endpoint) => HostProbe;
}

/** What a check may use: sockets come from the injected dialler alone. */
export interface HealthCheckContext extends ExtensionContext {
  readonly cluster: string;
  readonly dial: Dialer;
  /** Of the whole check: a connect need not have a limit of its own. */
  readonly timeoutMs: number;
  /** Keep the connection of a host for its next check. */
  readonly reuseConnection: boolean;
}

/** What one check found out. */
export const ProbeResult = {
  pass: 0,
  /** Counts towards the threshold. */
  fail: 1,
  /** The host itself says that it is not well: no threshold. */
  failNow: 2,
} as const;
export type ProbeResult = (typeof ProbeResult)[keyof typeof ProbeResult];

/** Asks one host, one check at a time. */
export interface HostProbe {
  /** Calls `done` once, perhaps before this returns. @param reason of a failure, short: it is logged and shown */
  probe(done: (result: ProbeResult, reason: string) => void): void;
  /** Gives up a check that runs: `done` is not called any more and its connection is dropped. Ignored when none runs. */
  cancel(): void;
  /** Drops what is open. */
  close(): void;
}
