import type { ClusterConfig } from '../core/contract/config.ts';
import type { Dialer } from '../core/contract/wire.ts';
import { encodeLocal } from '../transport/network-filters/proxy-protocol/encode.ts';

/** Dials for the mesh itself: where hosts of the cluster expect a PROXY header, it says that no client stands behind. */
export function ownDialer(dial: Dialer, config: Pick<ClusterConfig, 'proxyProtocol'> | null): Dialer {
  const version = config?.proxyProtocol?.version;
  if (version === undefined) return dial;
  const header = encodeLocal(version);
  return (address, connectTimeoutMs) => {
    const wire = dial(address, connectTimeoutMs);
    wire.write(header, 0, header.length);
    return wire;
  };
}
