import type { RedirectConfig } from '../contract/config.ts';
import type { Stream } from '../contract/stream.ts';
import { splitQuery } from './path-text.ts';
import { type MatchedPrefix, replacePrefix } from './rewrite.ts';

/**
 * Compiles the `location` of a redirect. What the configuration leaves alone is left to the client to keep: without a
 * new host, port or scheme the reference is a path, without a new scheme it begins with "//" (RFC 9110 §10.2.2,
 * RFC 3986 §4.2). So it is right behind a TLS terminator too, which the mesh cannot see.
 */
export function compileRedirect(config: RedirectConfig, matched: MatchedPrefix): (s: Stream) => string {
  const { https, host, port, stripQuery } = config;
  const staysHere = !https && host === undefined && port === undefined;
  return (s) => {
    const [before, query] = splitQuery(s.req.path);
    const path = newPath(config, matched, before) + (stripQuery ? '' : query);
    const authority = newAuthority(s.req.authority, config);
    if (staysHere || authority === '') return sameOrigin(path);
    return `${https ? 'https:' : ''}//${authority}${path.startsWith('/') ? '' : '/'}${path}`;
  };
}

function newPath(config: RedirectConfig, matched: MatchedPrefix, path: string): string {
  if (config.path !== undefined) return config.path;
  return config.prefix === undefined ? path : (replacePrefix(path, matched, config.prefix) ?? path);
}

function newAuthority(authority: string, config: RedirectConfig): string {
  const { https, host, port } = config;
  const given = host ?? authority;
  const colon = given.endsWith(']') ? -1 : given.lastIndexOf(':');
  const name = colon < 0 ? given : given.slice(0, colon);
  if (port !== undefined) return name === '' || (https && port === 443) ? name : `${name}:${port}`;
  // Plain HTTP's own port says nothing about where TLS is.
  return https && given.endsWith(':80') && colon >= 0 ? name : given;
}

/** A path that begins with "//" or "/\" would be read as another host: an open redirect. */
function sameOrigin(path: string): string {
  const safe = path.replace(/^[/\\]+/, '/');
  return safe.startsWith('/') ? safe : `/${safe}`;
}
