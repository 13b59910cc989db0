import { HeddleError } from '../../core/base/errors.ts';

export type SocketAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

const unixPrefix = 'unix:';
const maxPort = 65_535;
/** `sun_path` of sockaddr_un on Linux, with its final 0. */
const maxUnixPathBytes = 107;

/**
 * Reads "127.0.0.1:8080", "[::1]:8080", "localhost:8080" or "unix:/run/app.sock".
 * @throws HeddleError ERR_OPTION_INVALID
 */
export function parseAddress(text: string): SocketAddress {
  if (text.startsWith(unixPrefix)) return { kind: 'unix', path: unixPath(text) };
  const match = /^(?:\[([0-9a-fA-F:.%]+[\w.-]*)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > maxPort) {
    throw new HeddleError(
      'ERR_OPTION_INVALID',
      `address ${JSON.stringify(text)} is not "host:port", "[v6]:port" or "unix:/path"`,
    );
  }
  return { kind: 'tcp', host: match[1] ?? (match[2] as string), port };
}

/** The reverse of `parseAddress`. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** ::ffff:10.0.0.1 is the IPv4 client 10.0.0.1 on a dual-stack socket (RFC 4291 §2.5.5.2): lists name it so. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function unixPath(text: string): string {
  const path = text.slice(unixPrefix.length);
  const sizeBytes = Buffer.byteLength(path);
  if (sizeBytes === 0 || sizeBytes > maxUnixPathBytes || path.includes('\0')) {
    throw new HeddleError(
      'ERR_OPTION_INVALID',
      `address ${JSON.stringify(text)} needs a path of 1 to ${maxUnixPathBytes} bytes after "unix:"`,
    );
  }
  return path;
}
