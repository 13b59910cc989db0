import type { ClusterConfig } from '../core/contract/config.ts';
import type { Dialer } from '../core/contract/wire.ts';
import { encodeLocal } from '../transport/network-filters/proxy-protocol/encode.ts';
import { TlsDialing } from '../transport/tls/dial.ts';
import type { Runtime } from './runtime.ts';

type DialConfig = Pick<ClusterConfig, 'name' | 'codec' | 'proxyProtocol' | 'tls'>;

/** How one cluster dials. */
export interface OwnDialer {
  readonly dial: Dialer;
  readonly tls: TlsDialing | null;
}

/**
 * Dials hosts of one cluster: with TLS where it has it. Where hosts expect a PROXY header, it says that no client stands
 * behind.
 *
 * @throws HeddleError ERR_TLS_CONFIG
 */
export function ownDialer(runtime: Runtime, config: DialConfig): OwnDialer {
  const { dial } = runtime;
  const { tls } = config;
  if (tls !== undefined) {
    const codec = runtime.extensions.codecs.find((each) => each.name === config.codec.name);
    const dialling = new TlsDialing(
      tls,
      tls.alpn ?? codec?.alpn?.slice(0, 1) ?? [],
      config.name,
      runtime,
      dial,
    );
    return { dial: dialling.dial, tls: dialling };
  }
  const version = config.proxyProtocol?.version;
  if (version === undefined) return { dial, tls: null };
  const header = encodeLocal(version);
  const withHeader: Dialer = (address, connectTimeoutMs) => {
    const wire = dial(address, connectTimeoutMs);
    wire.write(header, 0, header.length);
    return wire;
  };
  return { dial: withHeader, tls: null };
}
