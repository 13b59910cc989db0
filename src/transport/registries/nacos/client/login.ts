import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { RegistryContext } from '../../../../core/contract/registry.ts';
import type { Dialer } from '../../../../core/contract/wire.ts';
import { WireDuplex } from '../../../wire/wire-duplex.ts';

export interface LoginOptions {
  /** HTTP addresses of the servers. */
  readonly servers: readonly string[];
  readonly user: string;
  /** Asked for each login: a file or variable may have changed. */
  readonly password: () => Promise<string>;
  /** "/nacos". */
  readonly contextPath: string;
  readonly timeoutMs: number;
}

interface Token {
  readonly text: string;
  readonly refreshAtMs: number;
  readonly expiresAtMs: number;
}

/** Nacos 3 and later, then 1 and 2. */
const paths = ['/v3/auth/user/login', '/v1/auth/users/login'];
const maxAnswerBytes = 64 * 1024;

/**
 * The access token of one user: fetched when it is first needed, renewed before it expires while the old one still serves.
 * The renewal is spread over the last tenth of its life, so that clients that started together do not come together.
 */
export class NacosLogin {
  readonly #options: LoginOptions;
  readonly #context: Pick<RegistryContext, 'clock' | 'random' | 'logger'>;
  readonly #dial: Dialer;
  #token: Token | null = null;
  #asking: Promise<Token> | null = null;
  #server: number;

  constructor(
    options: LoginOptions,
    context: Pick<RegistryContext, 'clock' | 'random' | 'logger'>,
    dial: Dialer,
  ) {
    this.#options = options;
    this.#context = context;
    this.#dial = dial;
    this.#server = context.random.uint32() % options.servers.length;
  }

  /** Rejects when no server gives one; passwords are not in the reason. */
  async token(): Promise<string> {
    const nowMs = this.#context.clock.now();
    const token = this.#token;
    if (token === null || nowMs >= token.expiresAtMs) return (await this.#renew()).text;
    if (nowMs >= token.refreshAtMs) this.#renew().catch(() => undefined);
    return token.text;
  }

  /** A server refused it. */
  forget(token: string | undefined): void {
    if (this.#token?.text === token) this.#token = null;
  }

  #renew(): Promise<Token> {
    this.#asking ??= this.#login().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #login(): Promise<Token> {
    const { servers, user } = this.#options;
    const form = new URLSearchParams({ username: user, password: await this.#options.password() });
    let reason = '';
    for (let tries = 0; tries < servers.length; tries++) {
      const server = servers[this.#server % servers.length] as string;
      for (const path of paths) {
        const answer = await this.#post(server, path, form.toString()).catch((thrown: Error) => thrown);
        if (answer instanceof Error) reason = answer.message;
        else if (answer.status === 404 || answer.status === 405 || answer.status === 501) continue;
        else if (answer.status === 200) return this.#keep(answer.text);
        else reason = `status ${answer.status}`;
        break;
      }
      this.#server++;
    }
    throw new Error(`login of ${user} failed: ${reason === '' ? 'no server has a login' : reason}`);
  }

  /** As the servers answer: `{"accessToken":"...","tokenTtl":18000}`. */
  #keep(text: string): Token {
    let given: { accessToken?: unknown; tokenTtl?: unknown } | null = null;
    try {
      given = JSON.parse(text);
    } catch {
      // Told below.
    }
    const ttlSeconds = Number(given?.tokenTtl);
    if (typeof given?.accessToken !== 'string' || !(ttlSeconds > 0)) {
      throw new Error(`login of ${this.#options.user} failed: the answer has no accessToken and tokenTtl`);
    }
    const { clock, random } = this.#context;
    const nowMs = clock.now();
    const lifeMs = ttlSeconds * 1000;
    const token = {
      text: given.accessToken,
      refreshAtMs: nowMs + lifeMs * (0.9 + random.next() / 30),
      expiresAtMs: nowMs + lifeMs,
    };
    this.#token = token;
    return token;
  }

  async #post(server: string, path: string, form: string): Promise<{ status: number; text: string }> {
    const { contextPath, timeoutMs } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
    const call = httpRequest({
      method: 'POST',
      path: `${contextPath}${path}`,
      headers: {
        host: server,
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': Buffer.byteLength(form),
        connection: 'close',
      },
      createConnection: () => new WireDuplex(this.#dial(server, timeoutMs)),
    });
    const timer = this.#context.clock.setTimer(timeoutMs, () =>
      call.destroy(new Error(`${server} does not answer the login`)),
    );
    call.once('error', (thrown) => reject(new Error(`${server}: ${thrown.message}`)));
    call.once('response', (response) => {
      textOf(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
    });
    call.end(form);
    return await promise.finally(() => {
      timer.cancel();
      call.destroy();
    });
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxAnswerBytes) throw new Error('the answer to the login is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
