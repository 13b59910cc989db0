import type { RequestListener } from 'node:http';
import { type Teardown, upstream } from '../../mesh/support.ts';
import type { Seen } from './ask.ts';

/** How long /slow takes: longer than the route's limit. */
const slowMs = 600;

/**
 * An upstream that tells in the header `x-seen` who it is and what it was asked. "/status/N" answers with that status,
 * "/slow" late, "/retried" with 503 twice and then 200.
 */
export async function tellingUpstream(t: Teardown, name: string): Promise<string> {
  let tries = 0;
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = request.url ?? '';
      const seen: Seen = {
        upstream: name,
        method: request.method ?? '',
        url,
        headers: joined(request.rawHeaders),
        body: Buffer.concat(chunks).toString('latin1'),
      };
      response.setHeader('x-seen', Buffer.from(JSON.stringify(seen)).toString('base64'));
      if (url !== '/no-type') response.setHeader('content-type', 'text/plain; charset=utf-8');
      response.setHeader('x-answer', 'upstream');
      response.setHeader('x-from', 'upstream');
      response.setHeader('x-upstream-secret', 'secret');
      response.setHeader('x-internal', 'secret');
      response.statusCode = Number(/^\/status\/(\d+)/.exec(url)?.[1] ?? 200);
      if (url.startsWith('/retried')) response.statusCode = ++tries % 3 === 0 ? 200 : 503;
      if (url.startsWith('/slow')) setTimeout(() => response.end(name), slowMs);
      else response.end(name);
    });
  };
  return (await upstream(t, listener)).address;
}

function joined(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let i = 0; i < raw.length; i += 2) {
    const key = (raw[i] as string).toLowerCase();
    const value = raw[i + 1] as string;
    headers[key] = headers[key] === undefined ? value : `${headers[key]},${value}`;
  }
  return headers;
}
