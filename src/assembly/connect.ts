import type { Duplex } from 'node:stream';
import { Code, factsOf } from '../core/base/codes.ts';
import { HeddleError } from '../core/base/errors.ts';
import { nearestWord } from '../core/base/nearest-word.ts';
import type { LiveCluster } from '../core/cluster/cluster.ts';
import type { Host } from '../core/contract/cluster.ts';
import type { Dialer } from '../core/contract/wire.ts';
import { createKeepAlive } from '../transport/system-clock.ts';
import { WireDuplex } from '../transport/wire/wire-duplex.ts';
import type { ClusterTable } from './clusters.ts';
import type { Runtime } from './runtime.ts';

/** A raw connection to a host that the cluster's balancer chose; it counts as one request until it closes. */
export function connectToCluster(runtime: Runtime, clusters: ClusterTable, name: string): Promise<Duplex> {
  const cluster = clusters.get(name);
  if (cluster === null) return Promise.reject(unknownCluster(clusters, name));
  const s = runtime.proxy.acquire();
  const host = cluster.chooseHost(s);
  runtime.proxy.release(s);
  if (typeof host === 'number') {
    const facts = factsOf(host);
    return Promise.reject(
      new HeddleError(facts.error, `${facts.name} in ${name}`, {
        context: { reason: facts.name, cluster: name },
      }),
    );
  }
  return dial(runtime, cluster, host, clusters.ownDialerOf(name));
}

function dial(runtime: Runtime, cluster: LiveCluster, host: Host, dialer: Dialer): Promise<Duplex> {
  const startMs = runtime.clock.now();
  const duplex = new WireDuplex(dialer(host.address, cluster.connectTimeoutMs));
  const holder = createKeepAlive();
  holder.ref();
  duplex.once('close', () => {
    holder.close();
    cluster.release(host);
  });
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      cluster.report(host, 0, Code.connectFailure, runtime.clock.now() - startMs);
      const { reason } = (error as Partial<HeddleError>).context ?? {};
      const context = { reason: reason ?? 'connect_failure', cluster: cluster.name, host: host.address };
      const detail = `${context.reason} at ${host.address} in ${cluster.name}`;
      reject(new HeddleError('ERR_UPSTREAM_CONNECT', detail, { context, cause: error }));
    };
    duplex.once('error', failed);
    duplex.once('connect', () => {
      duplex.off('error', failed);
      cluster.report(host, 200, 0, runtime.clock.now() - startMs);
      resolve(duplex);
    });
  });
}

function unknownCluster(clusters: ClusterTable, name: string): HeddleError {
  const near = nearestWord(name, clusters.names);
  const hint = near === null ? '' : `, did you mean ${JSON.stringify(near)}?`;
  return new HeddleError('ERR_CLUSTER_UNKNOWN', `${JSON.stringify(name)}${hint}`);
}
