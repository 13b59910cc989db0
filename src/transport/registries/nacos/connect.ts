import { parseAddress } from '../../../core/base/address.ts';
import { HeddleError } from '../../../core/base/errors.ts';
import { HealthRecord } from '../../../core/base/health-record.ts';
import type { RegistryContext } from '../../../core/contract/registry.ts';
import type { Health } from '../../../core/contract/state.ts';
import type { ClusterTlsConfig } from '../../../core/contract/tls-config.ts';
import { formatAddress } from '../../wire/address.ts';
import { readPassword } from '../config-values.ts';
import { Configs } from './client/configs.ts';
import { NacosLogin } from './client/login.ts';
import { Naming } from './client/naming.ts';
import { Registrations } from './client/registrations.ts';
import { NacosSession } from './client/session.ts';
import { type NacosConfig, usualPlace } from './config.ts';

export const registryName = 'nacos';

/** One session with what every layout needs of it. */
export interface NacosConnected {
  readonly naming: Naming;
  readonly registrations: Registrations;
  readonly configs: Configs;
  health(): Health;
  close(): Promise<void>;
}

/** Begins to connect. @throws HeddleError ERR_TLS_CONFIG, ERR_OPTION_INVALID */
export function connectNacos(config: NacosConfig, context: RegistryContext): NacosConnected {
  const { clock, logger, random, metrics } = context;
  const tls = (config.tls as ClusterTlsConfig | undefined) ?? null;
  const dial = context.dialer(registryName, tls, ['h2']);
  const { namespace } = usualPlace(config);
  const options = {
    ...config,
    servers: config.addresses.map((address) => grpcAddress(address, config.grpcPortOffset)),
    // Configurations of the public namespace have none.
    tenant: namespace === 'public' ? '' : namespace,
    addressOf: (host: string, port: number) => {
      const isHost = parseAddress(formatAddress(host, port))?.kind === 'tcp';
      return isHost ? shifted(host, port, config.grpcPortOffset) : null;
    },
  };
  const session = new NacosSession(
    options,
    { clock, random, logger, metrics, dial },
    loginOf(config, context),
  );
  const naming = new Naming(session, namespace, context);
  const registrations = new Registrations(session, namespace);
  const configs = new Configs(session, options.tenant, context);
  const record = new HealthRecord(clock);
  session.listen({
    onConnected: () => {
      if (record.set('ok', '')) logger.info('Nacos answers again');
    },
    onDisconnected: (reason) => {
      const wasFine = record.status === 'ok';
      record.set('failed', reason);
      if (wasFine) logger.warn('Nacos does not answer', { reason });
    },
  });
  session.start();
  return {
    naming,
    registrations,
    configs,
    health: () => record.toHealth(),
    close: async () => {
      naming.stop();
      configs.stop();
      registrations.stop();
      session.close();
    },
  };
}

function grpcAddress(address: string, offset: number): string {
  const parsed = parseAddress(address);
  const grpc = parsed?.kind === 'tcp' ? shifted(parsed.host, parsed.port, offset) : null;
  if (grpc !== null) return grpc;
  throw new HeddleError('ERR_OPTION_INVALID', `nacos: ${address} with grpcPortOffset ${offset} is no port`);
}

function shifted(host: string, port: number, offset: number): string | null {
  const grpcPort = port + offset;
  return grpcPort > 0 && grpcPort < 65_536 ? formatAddress(host, grpcPort) : null;
}

function loginOf(config: NacosConfig, context: RegistryContext): NacosLogin | null {
  const { username: user, password: given, addresses: servers, contextPath } = config;
  if (user === undefined) return null;
  const tls = (config.loginTls as ClusterTlsConfig | undefined) ?? null;
  const dial = context.dialer(registryName, tls, ['http/1.1']);
  const password = async (): Promise<string> =>
    given === undefined ? '' : await readPassword(given, context.files);
  const timeoutMs = config.connectTimeoutMs;
  return new NacosLogin({ servers, user, password, contextPath, timeoutMs }, context, dial);
}
