import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import { findLibrary, type ViewerLibrary } from './library.ts';
import { contentTypeOf, readStatic } from './static-file.ts';
import { ViewerFiles } from './viewer-files.ts';

export interface ViewerOptions {
  /** On 127.0.0.1; 0 picks a free one. @default 0 */
  readonly port?: number;
}

export interface Viewer {
  /** Holds a secret: whoever has the URL can read the profiles. */
  readonly url: string;
  close(): Promise<void>;
}

/** speedscope demangles names in WebAssembly and d3-flame-graph brings its style as an element. */
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

/**
 * Serves a page for the captures of a directory, or for one profile file: timeline of signals with marks where rules
 * fired, flame graph and differential flame graph (d3-flame-graph), the whole profile (speedscope), pending work as a
 * tree, and the verdict. Only on loopback, behind a random path, to requests that name this host; works offline.
 * @throws HeddleError ERR_PROFILE_INVALID when the path does not exist, ERR_LISTENER_ADDRESS when the port is taken.
 */
export async function startViewer(path: string, options: ViewerOptions = {}): Promise<Viewer> {
  const files = await ViewerFiles.open(path);
  const library = findLibrary();
  const base = `/${randomBytes(16).toString('hex')}/`;
  const server = createServer((request, response) => {
    answer(request, response, { base, files, library }).catch((thrown: unknown) => {
      if (!response.headersSent) send(response, 500, 'text/plain; charset=utf-8', messageOf(thrown));
      else response.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new HeddleError('ERR_LISTENER_ADDRESS', cause.message, { cause })),
    );
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${base}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

interface Site {
  readonly base: string;
  readonly files: ViewerFiles;
  readonly library: ViewerLibrary;
}

async function answer(request: IncomingMessage, response: ServerResponse, site: Site): Promise<void> {
  const port = request.socket.localPort;
  const host = request.headers.host ?? '';
  // A page elsewhere can make a name of its own point at 127.0.0.1; it cannot make us answer to that name.
  if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`)
    return send(response, 403, 'text/plain', 'wrong host');
  if (request.method !== 'GET') return send(response, 405, 'text/plain', 'only GET');
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  if (!url.pathname.startsWith(site.base)) return send(response, 404, 'text/plain', 'not found');
  const path = decodeURIComponent(url.pathname.slice(site.base.length)) || 'index.html';
  if (path.startsWith('api/')) return api(path.slice(4), url.searchParams, response, site);
  const found = await findStatic(path, site);
  if (found === undefined) return send(response, 404, 'text/plain', 'not found');
  send(response, 200, contentTypeOf(path), found);
}

async function findStatic(path: string, { files, library }: Site): Promise<Uint8Array | undefined> {
  const [folder, ...rest] = path.split('/');
  const name = rest.join('/');
  if (folder === 'library') {
    const file = library.scripts.get(name);
    return file === undefined ? undefined : readStatic(file);
  }
  if (folder === 'files') return files.bytes(name);
  if (folder === 'speedscope') return readStatic(library.speedscopeDirectory, name || 'index.html');
  return readStatic(library.pageDirectory, path);
}

async function api(
  method: string,
  query: URLSearchParams,
  response: ServerResponse,
  site: Site,
): Promise<void> {
  const file = query.get('file') ?? '';
  try {
    const body = await callApi(method, file, query, site);
    if (body === undefined) send(response, 404, 'text/plain', 'not found');
    else send(response, 200, 'application/json', JSON.stringify(body));
  } catch (thrown) {
    if (!(thrown instanceof HeddleError)) throw thrown;
    send(response, 422, 'application/json', JSON.stringify({ message: thrown.message }));
  }
}

function callApi(method: string, file: string, query: URLSearchParams, { files, library }: Site): unknown {
  switch (method) {
    case 'index':
      return files.index().then((index) => ({ ...index, scripts: [...library.scripts.keys()] }));
    case 'capture':
      return files.capture(query.get('id') ?? '');
    case 'profile':
      return files.profile(file, Number(query.get('type') ?? -1));
    case 'diff':
      return files.difference(query.get('base') ?? '', file);
    default:
      return undefined;
  }
}

function send(
  response: ServerResponse,
  status: number,
  contentType: string,
  body: string | Uint8Array,
): void {
  response.writeHead(status, { ...headers, 'content-type': contentType }).end(body);
}
