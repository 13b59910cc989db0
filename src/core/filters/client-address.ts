import type { Stream } from '../contract/stream.ts';
import { clientAddressKey } from '../observe/access-log/stream-values.ts';

/** What stands for the peer where there is no connection: a call of the application itself. */
export const inProcess = 'in-process';

/** Who the request comes from: what trusted proxies said (filter forwarded-headers), else the connection's other end. */
export function clientAddress(s: Stream): string {
  const told = s.metadata.get(clientAddressKey);
  if (told !== undefined) return told;
  return s.peer === null ? inProcess : s.peer.address;
}
