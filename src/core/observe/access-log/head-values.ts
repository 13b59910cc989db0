import type { HeadView } from '../../base/head-view.ts';
import type { Stream } from '../../contract/stream.ts';
import type { LineBuffer } from './line-buffer.ts';
import { maxValueBytes, type Value, type ValueWriter } from './values.ts';

export type Side = 'request' | 'response' | 'trailer';

/**
 * A header by name, a pseudo header (`:path`, `:method`, `:authority`, `:scheme`, `:status`), or the alternative when
 * the first is absent: Envoy's `%REQ(X?Y):Z%`.
 */
export function headerValue(side: Side, name: string, alternative: string | null, limit: number): Value {
  const first = writerOf(side, name.toLowerCase(), limit);
  if (alternative === null || alternative === '') return { kind: 'text', write: first };
  const second = writerOf(side, alternative.toLowerCase(), limit);
  return { kind: 'text', write: (out, s) => first(out, s) || second(out, s) };
}

function writerOf(side: Side, name: string, limit: number): ValueWriter {
  if (name.startsWith(':')) return pseudoWriter(side, name, limit);
  if (side === 'request') return (out, s) => writeField(out, s.req, name, limit);
  if (side === 'response') return (out, s) => writeField(out, s.res, name, limit);
  return (out, s) => s.responseTrailers !== null && writeField(out, s.responseTrailers, name, limit);
}

/** Copies a field's bytes without making a string of them. */
function writeField(out: LineBuffer, head: HeadView, name: string, limit: number): boolean {
  const index = head.find(name);
  if (index < 0) return false;
  const inWire = index < head.count;
  const fields = inWire ? head.fields : head.extraFields;
  const at = (inWire ? index : index - head.count) * 4;
  const start = fields[at + 2] as number;
  const end = fields[at + 3] as number;
  if (end === start) return false;
  out.value(inWire ? head.buf : head.extra, start, end - start > limit ? start + limit : end);
  return true;
}

function pseudoWriter(side: Side, name: string, limit: number): ValueWriter {
  if (side === 'response') {
    return name === ':status' ? (out, s) => writeStatus(out, s) : () => false;
  }
  if (side === 'trailer') return () => false;
  switch (name) {
    case ':method':
      return (out, s) => writePart(out, s.req.methodText, false, s.req, limit, 0);
    case ':path':
      return (out, s) => writePart(out, s.req.pathText, s.req.pathChanged, s.req, limit, 1);
    case ':authority':
      return (out, s) => writePart(out, s.req.authorityText, s.req.authorityChanged, s.req, limit, 2);
    default:
      return () => false;
  }
}

function writeStatus(out: LineBuffer, s: Stream): boolean {
  if (s.res.status === 0) return false;
  out.integer(s.res.status);
  return true;
}

/** Method, path or authority: the text when it was changed or has no bytes, else the bytes as received. */
function writePart(
  out: LineBuffer,
  text: string | null,
  changed: boolean,
  head: HeadView,
  limit: number,
  part: 0 | 1 | 2,
): boolean {
  const start = part === 0 ? head.methodStart : part === 1 ? head.pathStart : head.authorityStart;
  const end = part === 0 ? head.methodEnd : part === 1 ? head.pathEnd : head.authorityEnd;
  if (!changed && end > start) {
    out.value(head.buf, start, end - start > limit ? start + limit : end);
    return true;
  }
  if (text === null || text === '') return false;
  out.text(text.length > limit ? text.slice(0, limit) : text);
  return true;
}

/** A cookie of the request by name. */
export function cookieValue(name: string, limit: number = maxValueBytes): Value {
  const prefix = `${name}=`;
  return {
    kind: 'text',
    write(out, s) {
      for (const line of s.req.getAll('cookie')) {
        const pair = line.split(/;\s*/).find((each) => each.startsWith(prefix));
        if (pair === undefined || pair.length === prefix.length) continue;
        out.text(pair.slice(prefix.length, prefix.length + limit));
        return true;
      }
      return false;
    },
  };
}

/** A query parameter of the request path, as it was sent (not decoded). */
export function queryValue(name: string, limit: number = maxValueBytes): Value {
  const prefix = `${name}=`;
  return {
    kind: 'text',
    write(out, s) {
      const query = queryOf(s);
      const pair = query.split('&').find((each) => each.startsWith(prefix));
      if (pair === undefined || pair.length === prefix.length) return false;
      out.text(pair.slice(prefix.length, prefix.length + limit));
      return true;
    },
  };
}

/** The path without the query, and the query without its question mark. */
export function pathOf(s: Stream): string {
  const cut = s.req.path.indexOf('?');
  return cut < 0 ? s.req.path : s.req.path.slice(0, cut);
}

export function queryOf(s: Stream): string {
  const cut = s.req.path.indexOf('?');
  return cut < 0 ? '' : s.req.path.slice(cut + 1);
}
