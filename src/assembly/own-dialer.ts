import type { ClusterConfig } from '../core/contract/config.ts';
import type { Dialer } from '../core/contract/wire.ts';
import { encodeLocal } from '../transport/network-filters/proxy-protocol/encode.ts';
import { TlsDialing } from '../transport/tls/dial.ts';
import type { Runtime } from './runtime.ts';

type DialConfig = Pick<ClusterConfig, 'name' | 'codec' | 'proxyProtocol' | 'tls'>;

/**
 * Dials hosts of one cluster: with TLS where it has it. Where hosts expect a PROXY header, it says that no client stands
 * behind.
 *
 * @throws HeddleError ERR_TLS_CONFIG
 */
export function ownDialer(runtime: Runtime, config: DialConfig | null): Dialer {
  const tls = config?.tls;
  if (config !== null && tls !== undefined) {
    const codec = runtime.extensions.codecs.find((each) => each.name === config.codec.name);
    return new TlsDialing(tls, tls.alpn ?? codec?.alpn?.slice(0, 1) ?? [], config.name, runtime).dial;
  }
  const { dial } = runtime;
  const version = config?.proxyProtocol?.version;
  if (version === undefined) return dial;
  const header = encodeLocal(version);
  return (address, connectTimeoutMs) => {
    const wire = dial(address, connectTimeoutMs);
    wire.write(header, 0, header.length);
    return wire;
  };
}
