import type { HeadView } from '../base/head-view.ts';
import type { PathNormalization } from '../contract/pipeline.ts';

const slash = 47;
const dot = 46;
const percent = 37;
const question = 63;
const backslash = 92;

/** 1 where a byte can make a path need work: "%", ".", "\", and "/" for the byte that follows it. */
const suspect = new Uint8Array(256);
suspect[percent] = suspect[backslash] = 1;

/** A cheap look at the bytes that says no for almost every path. */
export function needsNormalizing(head: HeadView, options: PathNormalization): boolean {
  if (head.pathChanged || head.pathEnd === head.pathStart) return textNeeds(head.path, options);
  const buf = head.buf;
  let before = 0;
  for (let at = head.pathStart; at < head.pathEnd; at++) {
    const byte = buf[at] as number;
    if (byte === question) return false;
    if (suspect[byte] === 1) return true;
    if (before === slash && (byte === dot || (byte === slash && options.mergeSlashes))) return true;
    before = byte;
  }
  return false;
}

function textNeeds(path: string, options: PathNormalization): boolean {
  let before = 0;
  for (let at = 0; at < path.length; at++) {
    const byte = path.charCodeAt(at);
    if (byte === question) return false;
    if (suspect[byte] === 1) return true;
    if (before === slash && (byte === dot || (byte === slash && options.mergeSlashes))) return true;
    before = byte;
  }
  return false;
}

const unreserved = /^[A-Za-z0-9\-._~]$/;

/**
 * The path in the form that filters and routes may trust: percent-encoded unreserved characters decoded, other escapes
 * in upper case, dot segments removed (RFC 3986 §6.2.2), duplicate slashes merged where asked for. The query is left as
 * it is.
 *
 * @param path origin-form with query
 * @returns null when the path is refused: a broken escape, an encoded slash or backslash under `reject`, a raw
 * backslash, or dot segments that climb above the root
 */
export function normalizePath(path: string, options: PathNormalization): string | null {
  if (!path.startsWith('/')) return path;
  const mark = path.indexOf('?');
  const query = mark < 0 ? '' : path.slice(mark);
  const decoded = decodeEscapes(mark < 0 ? path : path.slice(0, mark), options);
  if (decoded === null || decoded.includes('\\')) return null;
  const merged = options.mergeSlashes ? decoded.replace(/\/{2,}/g, '/') : decoded;
  const plain = options.dotSegments ? removeDotSegments(merged) : merged;
  return plain === null ? null : plain + query;
}

function decodeEscapes(path: string, options: PathNormalization): string | null {
  if (!path.includes('%')) return path;
  let isRefused = false;
  const decoded = path.replace(/%([0-9A-Fa-f]{2})?/g, (whole, hex: string | undefined) => {
    if (hex === undefined) {
      isRefused = true;
      return '';
    }
    const byte = Number.parseInt(hex, 16);
    if (byte === 0) isRefused = true;
    if (byte === slash || byte === backslash) {
      if (options.escapedSlashes === 'reject') isRefused = true;
      if (options.escapedSlashes === 'unescape') return '/';
    }
    const character = String.fromCharCode(byte);
    return unreserved.test(character) ? character : whole.toUpperCase();
  });
  return isRefused ? null : decoded;
}

/** RFC 3986 §5.2.4, with one difference: climbing above the root is refused, not ignored. */
function removeDotSegments(path: string): string | null {
  const kept: string[] = [];
  const segments = path.split('/');
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i] as string;
    const isLast = i === segments.length - 1;
    if (segment === '..') {
      if (kept.pop() === undefined) return null;
      if (isLast) kept.push('');
    } else if (segment === '.') {
      if (isLast) kept.push('');
    } else kept.push(segment);
  }
  return `/${kept.join('/')}`;
}
