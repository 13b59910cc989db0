import { parseAddress } from '../base/address.ts';
import { HeddleError } from '../base/errors.ts';

/** What a DNS registry resolves for one service. */
export interface DnsTarget {
  readonly host: string;
  readonly port: number;
  /** An IP address: nothing to resolve. */
  readonly isLiteral: boolean;
}

/**
 * Reads "users.internal:8080", or "users.internal" with a default port.
 * @throws HeddleError ERR_OPTION_INVALID
 */
export function dnsTarget(text: string, defaultPort: number): DnsTarget {
  const address = parseAddress(text) ?? parseAddress(`${text}:${defaultPort}`);
  if (address === null || address.kind !== 'tcp') {
    throw new HeddleError(
      'ERR_OPTION_INVALID',
      `dns name ${JSON.stringify(text)} is not "name" or "name:port"`,
    );
  }
  if (address.port === 0) {
    throw new HeddleError(
      'ERR_OPTION_INVALID',
      `dns name ${JSON.stringify(text)} has no port: write "name:port" or give the registry a port`,
    );
  }
  return { host: address.host, port: address.port, isLiteral: isIp(address.host) };
}

/** "10.0.0.1:80" or "[::1]:80". */
export function joinAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function isIp(host: string): boolean {
  return host.includes(':') || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}
