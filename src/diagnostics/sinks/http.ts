import { readFile } from 'node:fs/promises';
import type { Capture, CaptureFile, Sink } from '../../core/contract/sink.ts';
import { isSent, post } from './post.ts';

export interface HttpSinkConfig {
  readonly url: string;
  readonly shape: 'holmes' | 'webhook';
  readonly token?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** holmes calls them by Go's profile names. */
const holmesTypes: Readonly<Record<string, string>> = { cpu: 'cpu', heap: 'heap', pending: 'goroutine' };

/**
 * `webhook`: the capture's page as JSON. `holmes`: one multipart form a profile with the fields of holmes'
 * HTTP reporter (`profile`, `token`, `profile_type`, `event_id`, `comment`), whose answer is `{ "code": 1 }`.
 */
export function httpSink(config: HttpSinkConfig): Sink {
  const deliver = config.shape === 'webhook' ? postPage : postForms;
  return { name: `http-${config.shape}`, deliver: (capture, signal) => deliver(config, capture, signal) };
}

async function postPage(config: HttpSinkConfig, capture: Capture, signal: AbortSignal): Promise<void> {
  const { url, timeoutMs, token } = config;
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const headers = { 'content-type': 'application/json', ...authorization, ...config.headers };
  await post({ url, headers, timeoutMs, signal, body: JSON.stringify(capture) });
}

async function postForms(config: HttpSinkConfig, capture: Capture, signal: AbortSignal): Promise<void> {
  for (const file of capture.files) {
    if (!isSent(file)) continue;
    const body = await holmesForm(config, capture, file);
    const { url, headers, timeoutMs } = config;
    const answer = await post({ url, headers, timeoutMs, signal, body });
    const { code, message } = JSON.parse(answer) as { code?: number; message?: string };
    if (code !== 1)
      throw new Error(`the receiver refused ${file.name}: code ${code}, ${message ?? 'no message'}`);
  }
}

async function holmesForm(config: HttpSinkConfig, capture: Capture, file: CaptureFile): Promise<FormData> {
  const form = new FormData();
  form.set('profile', new Blob([new Uint8Array(await readFile(file.path))]), 'go-pprof-profile');
  form.set('token', config.token ?? '');
  form.set('profile_type', holmesTypes[file.kind] ?? file.kind);
  form.set('event_id', capture.eventId);
  form.set('comment', capture.trigger.reason);
  return form;
}
