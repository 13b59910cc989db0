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
  const response = await fetch(url, { method: 'POST', headers, body, signal: limited, redirect: 'error' });
  const text = await readLimited(response);
  if (!response.ok) {
    const { origin, pathname } = new URL(url);
    throw new Error(`POST ${origin}${pathname} answered ${response.status}: ${text.slice(0, 200)}`);
  }
  return text;
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
