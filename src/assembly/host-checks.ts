import { HeddleError } from '../core/base/errors.ts';
import type { CheckDependencies } from '../core/cluster/settings.ts';
import { type HostProbe, ProbeResult } from '../core/contract/health-check.ts';
import type { Dialer } from '../core/contract/wire.ts';
import { isHandler } from './handler-address.ts';
import type { Runtime } from './runtime.ts';

/** Code of this process is there as long as the process is. */
const alwaysWell: HostProbe = {
  probe: (done) => done(ProbeResult.pass, ''),
  cancel() {},
  close() {},
};

/**
 * Active checks of one cluster's hosts: the kind by its name, dialled as the cluster's own connections are.
 *
 * @param dialerOf the dialler of a cluster as it is then
 */
export function checkDependencies(
  runtime: Runtime,
  dialerOf: (cluster: string) => Dialer,
): CheckDependencies {
  return {
    wheel: runtime.wheel,
    openProbes(settings, check) {
      const definition = runtime.extensions.healthChecks.find((each) => each.name === check.name);
      if (definition === undefined) {
        throw new HeddleError('ERR_CONFIG_INVALID', `no health check is named ${JSON.stringify(check.name)}`);
      }
      const { clock, random, logger, metrics } = runtime;
      const open = definition.create(check.config ?? {}, {
        clock,
        random,
        logger,
        metrics,
        cluster: settings.name,
        dial: (address, limitMs) => dialerOf(settings.name)(address, limitMs),
        timeoutMs: check.timeoutMs,
        reuseConnection: check.reuseConnection,
      });
      return (host) => (isHandler(host.address) ? alwaysWell : open(host));
    },
  };
}
