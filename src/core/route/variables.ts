import { rpcGroupOf, rpcMethodOf, rpcServiceOf, rpcVersionOf } from '../base/grpc-head.ts';
import type { RouteVariable } from '../contract/config.ts';
import type { Stream } from '../contract/stream.ts';
import { clientAddressKey } from '../observe/access-log/stream-values.ts';

const orNull = (text: string | null | undefined): string | null =>
  text === undefined || text === '' ? null : text;
const numberText = (value: number | undefined): string | null =>
  value === undefined || value <= 0 ? null : String(value);

/** What each variable reads; null where the stream has none. */
const readers: Readonly<Record<RouteVariable, (s: Stream) => string | null>> = {
  sourceAddress: (s) => orNull(s.peer?.address),
  sourcePort: (s) => numberText(s.peer?.port),
  clientAddress: (s) => s.metadata.get(clientAddressKey) ?? orNull(s.peer?.address),
  listener: (s) => orNull(s.pipeline?.name),
  listenerPort: (s) => numberText(s.peer?.localPort),
  protocol: (s) => orNull(s.protocol),
  serverName: (s) => orNull(s.peer?.serverName),
  spiffeId: (s) => orNull(s.peer?.spiffeId),
  service: (s) => orNull(rpcServiceOf(s.req)),
  rpcMethod: (s) => orNull(rpcMethodOf(s.req)),
  serviceVersion: (s) => orNull(rpcVersionOf(s.req)),
  serviceGroup: (s) => orNull(rpcGroupOf(s.req)),
};

export function variableReader(name: RouteVariable): (s: Stream) => string | null {
  return readers[name];
}
