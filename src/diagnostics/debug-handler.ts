import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HeddleError, messageOf } from '../core/base/errors.ts';
import type { Capture } from '../core/contract/sink.ts';
import { monitorMetrics } from './metrics.ts';
import type { Monitor } from './monitor.ts';

interface PulledKind {
  readonly kind: string;
  readonly fileKind: string;
  readonly defaultSeconds: number;
}

/** Go's names of profiles, so that Parca, Pyroscope and `go tool pprof URL` can pull them. */
const kinds: Readonly<Record<string, PulledKind>> = {
  profile: { kind: 'cpu', fileKind: 'cpu', defaultSeconds: 10 },
  heap: { kind: 'heap', fileKind: 'heap', defaultSeconds: 0 },
  allocs: { kind: 'allocations', fileKind: 'allocations', defaultSeconds: 10 },
  goroutine: { kind: 'pending', fileKind: 'pending', defaultSeconds: 2 },
};
const maxSeconds = 60;
/** Pullers ask for all kinds at once: so many wait for their turn. */
const maxWaiting = 8;

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
  let waiting = 0;
  let turn: Promise<unknown> = Promise.resolve();
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
    if (name === '') return answer(response, 200, `${Object.keys(kinds).join('\n')}\n`);
    const wanted = kinds[name];
    if (wanted === undefined)
      return answer(response, 404, `no such profile; there are ${Object.keys(kinds).join(', ')}\n`);
    const seconds = Number(url.searchParams.get('seconds') ?? wanted.defaultSeconds);
    if (!(seconds >= 0 && seconds <= maxSeconds))
      return answer(response, 400, `seconds must be 0 to ${maxSeconds}\n`);
    if (waiting >= maxWaiting)
      return answer(response, 429, `${maxWaiting} profiles are waited for already\n`);
    waiting++;
    const mine = turn.then(() => respond(monitor, response, name, wanted, seconds));
    turn = mine.finally(() => void waiting--).catch(() => undefined);
    return mine;
  };
}

async function respond(
  monitor: Monitor,
  response: ServerResponse,
  name: string,
  wanted: PulledKind,
  seconds: number,
): Promise<true> {
  // Who gave up while others were served gets no profile taken.
  if (response.destroyed) return true;
  try {
    const capture = await monitor.capture({
      kinds: [wanted.kind],
      durationMs: Math.max(100, seconds * 1000),
      reason: `GET /debug/pprof/${name}`,
    });
    return await sendFile(response, capture, wanted.fileKind, name);
  } catch (error) {
    const status = error instanceof HeddleError && error.code === 'ERR_MONITOR_STOPPED' ? 503 : 500;
    return answer(response, status, `${messageOf(error)}\n`);
  }
}

async function sendFile(
  response: ServerResponse,
  capture: Capture,
  kind: string,
  name: string,
): Promise<true> {
  const file = capture.files.find((one) => one.kind === kind && one.format === 'pprof' && one.threadId === 0);
  if (file === undefined) return answer(response, 500, `no ${name} could be taken\n`);
  const bytes = await readFile(file.path);
  response.setHeader('content-type', 'application/octet-stream');
  response.setHeader('content-disposition', `attachment; filename="${name}.pb.gz"`);
  response.setHeader('x-content-type-options', 'nosniff');
  return answer(response, 200, bytes);
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
