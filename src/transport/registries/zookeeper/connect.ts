import { HealthRecord } from '../../../core/base/health-record.ts';
import type { RegistryContext } from '../../../core/contract/registry.ts';
import type { Health } from '../../../core/contract/state.ts';
import type { ClusterTlsConfig } from '../../../core/contract/tls-config.ts';
import { ZooKeeperClient } from './client/client.ts';
import { Session } from './client/session.ts';
import { under, type ZooKeeperConfig } from './config.ts';
import { credentialsOf } from './credentials.ts';
import { aclOf } from './layouts/acl.ts';
import { Publisher } from './layouts/publisher.ts';

export const registryName = 'zookeeper';

/** One session with what every layout needs of it. */
export interface ZooKeeperConnected {
  readonly client: ZooKeeperClient;
  readonly publisher: Publisher;
  health(): Health;
  close(): Promise<void>;
}

/** Begins to connect. @throws HeddleError ERR_TLS_CONFIG */
export function connectZooKeeper(config: ZooKeeperConfig, context: RegistryContext): ZooKeeperConnected {
  const { clock, random, logger } = context;
  const dial = context.dialer(registryName, (config.tls as ClusterTlsConfig | undefined) ?? null, []);
  const { addresses: servers, sessionTimeoutMs, connectTimeoutMs, maxFrameBytes } = config;
  const { backoffBaseMs, backoffMaxMs } = config;
  const limits = { sessionTimeoutMs, connectTimeoutMs, maxFrameBytes, backoffBaseMs, backoffMaxMs };
  const credentials = credentialsOf(config, context.files);
  const session = new Session({ servers, ...limits, credentials }, { clock, random, dial });
  const client = new ZooKeeperClient(session, under(config.chroot));
  const acl = aclOf(config.acl ?? (config.auth.length > 0 ? 'creator' : 'open'));
  const publisher = new Publisher(client, acl);
  const record = new HealthRecord(clock);
  session.listen({
    onConnected: (isNew) => {
      if (record.set('ok', '')) logger.info('ZooKeeper answers again', { isNewSession: isNew });
    },
    onDisconnected: (reason) => void record.set('failed', reason),
  });
  session.start();
  return {
    client,
    publisher,
    health: () => record.toHealth(),
    close: async () => {
      publisher.stop();
      await session.close();
    },
  };
}
