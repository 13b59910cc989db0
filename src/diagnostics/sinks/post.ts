import { messageOf } from '../../core/base/errors.ts';
import type { CaptureFile } from '../../core/contract/sink.ts';

export interface PostOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer> | FormData;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What goes to a store of profiles: each thread on its own, without the quiet time that is there to compare. */
export const isSent = ({ format, window, threadId }: CaptureFile): boolean =>
  format === 'pprof' && window !== 'quiet' && threadId >= 0;

/** Bytes of an answer that are looked at; a stranger's server may send any number. */
const maxAnswerBytes = 64 * 1024;

/** One POST; rejects with status and the beginning of the answer unless it is 2xx. Credentials never stand in the message. */
export async function post(options: PostOptions): Promise<string> {
  const { url, headers, body, timeoutMs, signal } = options;
  const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const { href, authorization } = splitCredentials(url);
  const response = await fetch(href, {
    method: 'POST',
    headers: { ...authorization, ...headers },
    body,
    signal: limited,
    redirect: 'error',
  }).catch((cause: unknown) => {
    throw new Error(`POST ${withoutSecrets(url)}: ${reasonOf(cause)}`, { cause });
  });
  const text = await readLimited(response);
  if (!response.ok) {
    throw new Error(`POST ${withoutSecrets(url)} answered ${response.status}: ${text.slice(0, 200)}`);
  }
  return text;
}

/** `fetch` takes no address with user and password, and would print both: they go into the header. */
function splitCredentials(url: string): {
  readonly href: string;
  readonly authorization: Readonly<Record<string, string>>;
} {
  const target = new URL(url);
  const { username, password } = target;
  if (username === '' && password === '') return { href: url, authorization: {} };
  target.username = '';
  target.password = '';
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    href: target.href,
    authorization: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
  };
}

/** User, password and query may be credentials. */
function withoutSecrets(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/** `fetch` says "fetch failed" whatever it was; the reason stands behind it, for several addresses as a code alone. */
function reasonOf(thrown: unknown): string {
  const { cause } = thrown as { readonly cause?: NodeJS.ErrnoException };
  return cause === undefined ? messageOf(thrown) : cause.message || (cause.code ?? messageOf(thrown));
}

async function readLimited(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes >= maxAnswerBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
