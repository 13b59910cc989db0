import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { HeddleError, messageOf } from '../src/index.ts';

/** Where a running proxy listens for its operators. */
export interface AdminPlace {
  /** "127.0.0.1:9901" or "unix:/path". */
  readonly address: string;
  /** Null: writes go without. */
  readonly token: string | null;
}

const limitMs = 70_000;

/** Asks the admin endpoint. @param body JSON to POST; left out: GET. @throws HeddleError ERR_ADMIN_CALL */
export async function callAdmin(
  { address, token }: AdminPlace,
  path: string,
  body?: object,
): Promise<unknown> {
  const place: RequestOptions = address.startsWith('unix:')
    ? { socketPath: address.slice('unix:'.length) }
    : hostAndPort(address);
  const headers = token === null || body === undefined ? {} : { authorization: `Bearer ${token}` };
  const method = body === undefined ? 'GET' : 'POST';
  try {
    const call = httpRequest({ ...place, path, method, headers, signal: AbortSignal.timeout(limitMs) });
    call.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    const status = response.statusCode ?? 0;
    if (status < 300) return JSON.parse(text);
    throw new HeddleError('ERR_ADMIN_CALL', `${address} answers ${status}: ${reasonOf(text)}`);
  } catch (thrown) {
    if (thrown instanceof HeddleError) throw thrown;
    throw new HeddleError('ERR_ADMIN_CALL', `${address}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

function hostAndPort(address: string): { host: string; port: string } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: address.slice(colon + 1) };
}

/** `{"error":{"message":...}}` of the API, or a line of text. */
function reasonOf(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string } };
    if (error?.message !== undefined) return error.message;
  } catch {
    // A line of text.
  }
  return text.trim();
}
