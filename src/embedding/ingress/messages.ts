import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { HeadView } from '../../core/base/head-view.ts';
import { latin1 } from '../../core/base/latin1.ts';

/** A request of `node:http`, `node:https` or of http2's compatibility API. */
export type Request = IncomingMessage | Http2ServerRequest;
export type Response = ServerResponse | Http2ServerResponse;

/**
 * Fills a clean head from a request. @returns how many fields it has: what filters add stands behind them
 * @throws HeddleError ERR_HEADER_INVALID
 */
export function readRequest(head: HeadView, request: Request): number {
  head.methodText = request.method ?? 'GET';
  head.path = request.url ?? '/';
  head.pathChanged = false;
  head.minor = request.httpVersionMinor;
  head.authority = authorityOf(request);
  head.authorityChanged = false;
  const raw = request.rawHeaders;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.charCodeAt(0) !== 58) head.add(name, raw[i + 1] as string);
  }
  const length = request.headers['content-length'];
  if (length !== undefined) head.contentLength = Number(length);
  head.chunked = request.headers['transfer-encoding'] !== undefined;
  return head.extraCount;
}

function authorityOf(request: Request): string {
  const pseudo = request.headers[':authority'];
  return (typeof pseudo === 'string' ? pseudo : request.headers.host) ?? '';
}

/** Fills a clean head from what the application has set. @returns how many fields it has */
export function readResponse(head: HeadView, status: number, response: Response): number {
  head.status = status;
  const headers = response.getHeaders();
  for (const name in headers) {
    const value = headers[name];
    if (Array.isArray(value)) for (const each of value) head.add(name, String(each));
    else if (value !== undefined) head.add(name, String(value));
  }
  const length = headers['content-length'];
  if (length !== undefined) head.contentLength = Number(length);
  return head.extraCount;
}

/** Names in lower case of fields that were added to or removed from the first `count`. */
function editedNames(head: HeadView, count: number): Set<string> {
  const names = new Set<string>();
  const { extra, extraFields } = head;
  for (let i = 0; i < head.extraCount; i++) {
    const marked = extraFields[i * 4] as number;
    if (i < count && marked >= 0) continue;
    const start = marked < 0 ? ~marked : marked;
    names.add(latin1(extra, start, extraFields[i * 4 + 1] as number).toLowerCase());
  }
  return names;
}

/** Shows the application what filters made of its request: both forms of its headers, path and method. */
export function writeRequest(head: HeadView, count: number, request: Request): void {
  const names = editedNames(head, count);
  if (head.pathChanged) request.url = head.path;
  if (names.size === 0) return;
  const headers = request.headers as Record<string, string | string[] | undefined>;
  for (const name of names) {
    const values = head.getAll(name);
    if (values.length === 0) delete headers[name];
    else if (name === 'set-cookie') headers[name] = values;
    else headers[name] = values.join(name === 'cookie' ? '; ' : ', ');
  }
  const raw = request.rawHeaders;
  const pseudo = raw.filter((_text, index) => (raw[index & ~1] as string).startsWith(':'));
  raw.length = 0;
  raw.push(...pseudo);
  head.forEach((name, value) => {
    raw.push(name, value);
  });
}

/** Puts edits of filters into an answer whose head the application has set. */
export function writeEdits(head: HeadView, count: number, response: Response): void {
  for (const name of editedNames(head, count)) {
    const values = head.getAll(name);
    if (values.length === 0) response.removeHeader(name);
    else response.setHeader(name, values.length === 1 ? (values[0] as string) : values);
  }
}

/** Sets all fields of a head, in place of what was there. */
export function writeHeaders(head: HeadView, response: Response): void {
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  const seen = new Set<string>();
  head.forEach((name) => {
    const lower = name.toLowerCase();
    if (seen.has(lower) || lower === 'connection' || lower === 'transfer-encoding') return;
    seen.add(lower);
    const values = head.getAll(lower);
    response.setHeader(name, values.length === 1 ? (values[0] as string) : values);
  });
}
