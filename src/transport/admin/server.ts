import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { HeddleError, messageOf } from '../../core/base/errors.ts';
import type { Secret } from '../../core/base/secret.ts';
import type { Logger } from '../../core/contract/logger.ts';
import type { AdminAnswer, AdminSection } from '../../core/contract/state.ts';
import { bind } from '../listener/bind.ts';
import { parseAddress } from '../wire/address.ts';

export interface AdminOptions {
  /** "127.0.0.1:9901", "[::1]:9901" or "unix:/run/heddle-admin.sock"; other hosts are refused unless there is a token. */
  readonly address: string;
  /** Bearer token that writes must carry; without one, writes are allowed on a unix socket (mode 0600) only. */
  readonly token: Secret | null;
  readonly sections: readonly AdminSection[];
  readonly logger: Logger;
}

const maxBodyBytes = 64 * 1024;
const socketMode = 0o600;
const backlog = 64;
const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * The admin endpoint: small, slow and careful. Reads are open to whoever reaches the address; writes need the token.
 * The Host header must name the address itself and a page of another origin is refused, so that a browser cannot be
 * made to call it (DNS rebinding).
 */
export class AdminServer implements AsyncDisposable {
  readonly #options: AdminOptions;
  readonly #server: Server;
  readonly #sections: ReadonlyMap<string, AdminSection>;
  #address = '';
  /** A reload may change it. */
  token: Secret | null;

  constructor(options: AdminOptions) {
    this.#options = options;
    this.token = options.token;
    this.#sections = new Map(options.sections.map((section) => [section.path, section]));
    this.#server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000, maxHeaderSize: 8192 });
    // heddle/register leaves it alone: ingress filters are for the application's servers.
    Object.defineProperty(this.#server, Symbol.for('heddle.own'), { value: true });
    this.#server.on('request', (request, response) => void this.#serve(request, response));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** The address in use. */
  get address(): string {
    return this.#address;
  }

  /** @throws HeddleError ERR_LISTENER_ADDRESS, ERR_OPTION_INVALID for an open address without a token */
  async start(): Promise<this> {
    const target = parseAddress(this.#options.address);
    if (target.kind === 'tcp' && !isLoopback(target.host) && this.#options.token === null) {
      throw new HeddleError(
        'ERR_OPTION_INVALID',
        `admin.address ${this.#options.address} is open to others; bind 127.0.0.1 or set admin.token`,
      );
    }
    this.#address = await bind(this.#server, target, backlog, socketMode, null);
    this.#server.on('error', (error) => {
      this.#options.logger.warn('admin endpoint failed', { error: messageOf(error) });
    });
    // Admin alone must not keep an in-process mesh's program alive.
    this.#server.unref();
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      send(response, await this.#answer(request, response));
    } catch (thrown) {
      const status = thrown instanceof HeddleError ? 400 : 500;
      this.#options.logger.warn('an admin request failed', { error: messageOf(thrown) });
      send(response, { status, body: `${messageOf(thrown)}\n` });
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<AdminAnswer> {
    const refusal = this.#refusal(request);
    if (refusal !== null) return { status: 403, body: `${refusal}\n` };
    const url = URL.parse(request.url ?? '/', 'http://admin');
    if (url === null) return { status: 400, body: 'the request target is no path\n' };
    if (url.pathname === '/') return this.#index();
    const section = this.#sections.get(url.pathname.slice(1));
    if (section === undefined) return { status: 404, body: 'no such section; GET / lists them\n' };
    if (request.method === 'GET' || request.method === 'HEAD') {
      if (section.read === undefined) return { status: 405, body: 'POST only\n' };
      if (section.isPrivate && !this.#isLocal() && !this.#mayWrite(request))
        return { status: 401, body: 'this needs "authorization: Bearer <admin.token>"\n' };
      return section.read(url.searchParams);
    }
    if (request.method !== 'POST' || section.write === undefined) {
      return { status: 405, body: 'GET only\n' };
    }
    if (!this.#mayWrite(request)) {
      return { status: 401, body: 'writes need "authorization: Bearer <admin.token>"\n' };
    }
    const body = await bodyOf(request);
    const left = new AbortController();
    response.once('close', () => left.abort());
    return section.write(url.searchParams, body, left.signal);
  }

  /** Why a request is refused whatever it asks for, or null. */
  #refusal(request: IncomingMessage): string | null {
    if (this.#address.startsWith('unix:')) return null;
    const host = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
    const own = this.#address.replace(/:\d+$/, '');
    if (!loopbackHosts.has(host) && host !== own)
      return '[ERR_ADMIN_FORBIDDEN] the Host header names another host';
    const { origin } = request.headers;
    if (origin !== undefined && origin !== `http://${request.headers.host}`) {
      return '[ERR_ADMIN_FORBIDDEN] a page of another origin asks';
    }
    return null;
  }

  /** Nobody but users of this machine gets here. */
  #isLocal(): boolean {
    const target = parseAddress(this.#options.address);
    return target.kind !== 'tcp' || isLoopback(target.host);
  }

  #mayWrite(request: IncomingMessage): boolean {
    const { token } = this;
    if (token === null) return this.#address.startsWith('unix:');
    const given = Buffer.from(request.headers.authorization ?? '');
    const wanted = Buffer.from(`Bearer ${token.reveal()}`);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }

  #index(): AdminAnswer {
    const width = Math.max(...this.#options.sections.map(({ path }) => path.length));
    const lines = this.#options.sections.map((section) => {
      const methods = [section.read && 'GET', section.write && 'POST'].filter(Boolean).join(', ');
      return `/${section.path.padEnd(width)} ${methods.padEnd(10)} ${section.summary}`;
    });
    return { body: `${lines.join('\n')}\n` };
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function send(response: ServerResponse, answer: AdminAnswer): void {
  const isText = typeof answer.body === 'string';
  const body =
    isText || answer.body instanceof Uint8Array
      ? (answer.body as string | Uint8Array)
      : `${JSON.stringify(answer.body, null, 2)}\n`;
  response.writeHead(answer.status ?? 200, {
    'content-type': answer.contentType ?? (isText ? 'text/plain; charset=utf-8' : 'application/json'),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes)
      throw new HeddleError('ERR_OPTION_INVALID', `a body above ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
