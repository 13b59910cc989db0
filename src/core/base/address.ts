/** Where a listener binds or a host is dialled. */
export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

const ipv6 = /^[0-9a-f:.]+(%[\w.-]+)?$/i;
const hostName = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?$/i;

/**
 * Reads "host:port", "1.2.3.4:80", "[::1]:80" or "unix:/path"; port 0 to 65535.
 * @returns null when the text is none of these
 */
export function parseAddress(text: string): Address | null {
  if (text.startsWith('unix:')) {
    const path = text.slice(5);
    // 107 bytes and a zero: sockaddr_un of Linux.
    return path !== '' && !path.includes('\0') && path.length <= 107 ? { kind: 'unix', path } : null;
  }
  const colon = text.lastIndexOf(':');
  const port = portOf(text.slice(colon + 1));
  if (colon <= 0 || port < 0) return null;
  let host = text.slice(0, colon);
  if (host.startsWith('[')) {
    host = host.slice(1, -1);
    return text[colon - 1] === ']' && host.includes(':') && ipv6.test(host)
      ? { kind: 'tcp', host, port }
      : null;
  }
  return host.length <= 253 && hostName.test(host) ? { kind: 'tcp', host, port } : null;
}

function portOf(text: string): number {
  if (!/^\d{1,5}$/.test(text)) return -1;
  const port = Number(text);
  return port <= 65535 ? port : -1;
}
