import { formatAddress, parseAddress } from '../wire/address.ts';

/** The address with another port; 0 and unix sockets stay as they are. */
export function withPort(address: string, port: number): string {
  if (port === 0) return address;
  const parsed = parseAddress(address);
  return parsed.kind === 'unix' ? address : formatAddress(parsed.host, port);
}
