import { HeddleError } from '../core/base/errors.ts';
import type { CheckDependencies } from '../core/cluster/settings.ts';
import type { Endpoint } from '../core/contract/cluster.ts';
import { type HostProbe, ProbeResult } from '../core/contract/health-check.ts';
import type { Wire } from '../core/contract/wire.ts';
import { isHandler } from './handler-address.ts';
import type { Runtime } from './runtime.ts';

/** Code of this process is there as long as the process is. */
const alwaysWell: HostProbe = {
  probe: (done) => done(ProbeResult.pass, ''),
  cancel() {},
  close() {},
};

/** Dials as a cluster does then. */
interface HostDialer {
  dialHost(cluster: string, host: Endpoint, address: string, connectTimeoutMs: number): Wire;
}

/** Active checks of one cluster's hosts: the kind by its name, dialled as the cluster's own connections are. */
export function checkDependencies(runtime: Runtime, clusters: HostDialer): CheckDependencies {
  return {
    wheel: runtime.wheel,
    openProbes(settings, check) {
      const definition = runtime.extensions.healthChecks.find((each) => each.name === check.name);
      if (definition === undefined) {
        throw new HeddleError('ERR_CONFIG_INVALID', `no health check is named ${JSON.stringify(check.name)}`);
      }
      const { clock, random, logger, metrics } = runtime;
      const known = new Map<string, Endpoint>();
      const open = definition.create(check.config ?? {}, {
        clock,
        random,
        logger,
        metrics,
        cluster: settings.name,
        dial: (address, limitMs) =>
          clusters.dialHost(settings.name, known.get(address) ?? stranger, address, limitMs),
        timeoutMs: check.timeoutMs,
        reuseConnection: check.reuseConnection,
      });
      return (host) => {
        if (isHandler(host.address)) return alwaysWell;
        known.set(host.address, host);
        const probe = open(host);
        return {
          probe: (done) => probe.probe(done),
          cancel: () => probe.cancel(),
          close() {
            if (known.get(host.address) === host) known.delete(host.address);
            probe.close();
          },
        };
      };
    },
  };
}

/** An address that is no host's: a check may ask another port of the same machine. */
const stranger: Endpoint = { address: '', weight: 1, metadata: {}, zone: '', priority: 0, hostname: '' };
