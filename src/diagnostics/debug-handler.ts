import type { IncomingMessage, ServerResponse } from 'node:http';
import { monitorMetrics } from './metrics.ts';
import type { Monitor } from './monitor.ts';
import { ProfilePuller, profileNames } from './profile-puller.ts';

export interface DebugHandlerOptions {
  /** Who may ask; everything else gets 403. @default only a loopback peer that names a loopback host */
  readonly allow?: (request: IncomingMessage) => boolean;
}

/** Answers `/debug/pprof/*` and `/metrics`; resolves to false for every other path and leaves the response alone. */
export type DebugHandler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

/**
 * A request handler for an HTTP server of your own. Profiles tell much about a program, so only loopback may ask
 * unless `allow` says otherwise. Profiles are taken one after the other: eight requests wait, one more gets 429.
 *
 * @example
 * const debug = createDebugHandler(monitor);
 * http.createServer(async (request, response) => (await debug(request, response)) || app(request, response));
 */
export function createDebugHandler(monitor: Monitor, options: DebugHandlerOptions = {}): DebugHandler {
  const allow = options.allow ?? isLocal;
  const puller = new ProfilePuller(monitor);
  return async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (url.pathname !== '/metrics' && !url.pathname.startsWith('/debug/pprof')) return false;
    if (!allow(request)) return answer(response, 403, 'not allowed\n');
    if (request.method !== 'GET') return answer(response, 405, 'only GET\n');
    if (url.pathname === '/metrics') {
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      return answer(response, 200, monitorMetrics(await monitor.status()));
    }
    const name = url.pathname.slice('/debug/pprof/'.length);
    if (name === '') return answer(response, 200, `${profileNames.join('\n')}\n`);
    const { status, body, isProfile } = await puller.pull(name, url.searchParams, () => response.destroyed);
    if (isProfile) {
      response.setHeader('content-type', 'application/octet-stream');
      response.setHeader('content-disposition', `attachment; filename="${name}.pb.gz"`);
      response.setHeader('x-content-type-options', 'nosniff');
    }
    return answer(response, status, body);
  };
}

function answer(response: ServerResponse, status: number, body: string | Uint8Array): true {
  response.statusCode = status;
  response.end(body);
  return true;
}

/** The host name is checked too: a page in a browser can make it ask loopback under a name of its own. */
function isLocal(request: IncomingMessage): boolean {
  const address = request.socket.remoteAddress ?? '';
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  const isLoopbackPeer = address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
  return isLoopbackPeer && (host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host));
}
