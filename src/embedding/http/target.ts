import type { ClientRequestArgs } from 'node:http';

/**
 * The authority that a request of `node:http` is for: "host", or "host:port" when the port is not the default one.
 * Null when it is not for a host (a unix socket).
 */
export function authorityOf(options: ClientRequestArgs, defaultPort: number): string | null {
  if (options.socketPath) return null;
  const host = options.hostname || options.host;
  if (typeof host !== 'string' || host === '') return null;
  const port = Number(options.port || defaultPort);
  return join(host.toLowerCase(), port, defaultPort);
}

/** As `authorityOf`, for the arguments of `http.request(url, options)`. The text is not parsed as a URL: 60 ns. */
export function targetOf(
  input: string | URL,
  options: ClientRequestArgs | undefined,
  defaultPort: number,
): string | null {
  if (options !== undefined && (options.hostname || options.host || options.socketPath || options.port)) {
    const url = typeof input === 'string' ? URL.parse(input) : input;
    if (url === null) return null;
    return authorityOf({ hostname: url.hostname, port: url.port, ...options }, defaultPort);
  }
  return typeof input === 'string' ? authorityOfText(input) : input.host;
}

/** "http://user@Host:80/path" -> "host:80"; null when it does not look like that. */
export function authorityOfText(url: string): string | null {
  const scheme = url.indexOf('://');
  if (scheme < 0) return null;
  const start = scheme + 3;
  let end = start;
  let from = start;
  for (; end < url.length; end++) {
    const char = url.charCodeAt(end);
    if (char === 47 || char === 63 || char === 35 || char === 92) break;
    if (char === 64) from = end + 1;
  }
  return end === from ? null : url.slice(from, end).toLowerCase();
}

function join(host: string, port: number, defaultPort: number): string {
  return port === defaultPort ? host : `${host}:${port}`;
}
