/** `protocol://[user[:password]@]host[:port][/path][?key=value&...]`: how Dubbo and SOFARPC describe a provider. */
export interface ProviderUrl {
  readonly protocol: string;
  /** "" = none. */
  readonly username: string;
  readonly password: string;
  /** Without brackets. */
  readonly host: string;
  /** 0 = none said. */
  readonly port: number;
  /** Without the leading slash. */
  readonly path: string;
  /** Values are not escaped one by one. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Real ones have 300 to 3,000 characters. */
const maxLength = 64 * 1024;
const maxParameters = 512;

/** @param text decoded. @returns null when it is no such URL */
export function parseProviderUrl(text: string): ProviderUrl | null {
  if (text.length > maxLength) return null;
  const scheme = text.indexOf('://');
  if (scheme <= 0) return null;
  const protocol = text.slice(0, scheme);
  if (!/^[a-zA-Z][\w.+-]*$/.test(protocol)) return null;
  const query = text.indexOf('?', scheme);
  const place = text.slice(scheme + 3, query < 0 ? undefined : query);
  const slash = place.indexOf('/');
  const authority = slash < 0 ? place : place.slice(0, slash);
  const at = authority.lastIndexOf('@');
  const hostPort = readHostPort(authority.slice(at + 1));
  const parameters = readParameters(query < 0 ? '' : text.slice(query + 1));
  if (hostPort === null || parameters === null) return null;
  const [username = '', password = ''] = at < 0 ? [] : splitOnce(authority.slice(0, at), ':');
  return {
    protocol,
    username,
    password,
    ...hostPort,
    path: slash < 0 ? '' : place.slice(slash + 1),
    parameters,
  };
}

/** As Dubbo's `URL.toFullString()`: parameters sorted, values trimmed, empty ones left out. */
export function formatProviderUrl(url: ProviderUrl): string {
  const user = url.username === '' ? '' : `${url.username}${url.password === '' ? '' : `:${url.password}`}@`;
  const host = url.host.includes(':') ? `[${url.host}]` : url.host;
  const port = url.port > 0 ? `:${url.port}` : '';
  const parameters = [...url.parameters]
    .map(([key, value]): [string, string] => [key, value.trim()])
    .filter(([key, value]) => key !== '' && value !== '')
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, value]) => `${key}=${value}`);
  const query = parameters.length === 0 ? '' : `?${parameters.join('&')}`;
  return `${url.protocol}://${user}${host}${port}${url.path === '' ? '' : `/${url.path}`}${query}`;
}

/** "host:port" as our addresses are written. */
export function addressOf({ host, port }: Pick<ProviderUrl, 'host' | 'port'>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function readHostPort(text: string): { host: string; port: number } | null {
  const bracket = text.startsWith('[') ? text.indexOf(']') : -1;
  const colon = text.lastIndexOf(':');
  const hasPort = colon > bracket;
  const port = hasPort ? Number(text.slice(colon + 1)) : 0;
  const host = bracket > 0 ? text.slice(1, bracket) : text.slice(0, hasPort ? colon : undefined);
  if (host === '' || !Number.isInteger(port) || port < 0 || port > 65535) return null;
  return { host, port };
}

function readParameters(text: string): Map<string, string> | null {
  const parameters = new Map<string, string>();
  if (text === '') return parameters;
  const parts = text.split('&');
  if (parts.length > maxParameters) return null;
  for (const part of parts) {
    if (part === '') continue;
    const [key = '', value = key] = splitOnce(part, '=');
    parameters.set(key.trim(), value);
  }
  return parameters;
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
