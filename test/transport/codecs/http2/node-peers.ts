import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type Teardown, within } from '../../../mesh/support.ts';

export type StreamListener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number) => void;

/** A node:http2 server of plain h2c on a free loopback port, closed with the test. */
export async function h2Upstream(
  t: Teardown,
  onStream: StreamListener,
  options: ServerOptions = {},
): Promise<{ address: string; server: Http2Server; sessions: Set<ServerHttp2Session> }> {
  const server = createServer(options);
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers, flags) => {
    stream.on('error', () => {});
    onStream(stream, headers, flags);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const session of sessions) session.destroy();
    await closed;
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, server, sessions };
}

/** Answers with what it was asked, in JSON, and repeats the trailers. */
export const h2Echo: StreamListener = (stream, headers) => {
  const chunks: Buffer[] = [];
  let trailers: IncomingHttpHeaders | undefined;
  stream.on('data', (chunk: Buffer) => void chunks.push(chunk));
  stream.on('trailers', (came) => {
    trailers = came;
  });
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/json' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': String(trailers?.['x-sum'] ?? 'none') }));
    stream.end(JSON.stringify({ headers, body: Buffer.concat(chunks).toString('latin1') }));
  });
};

/** A node:http2 client session, closed with the test. */
export function h2Client(t: Teardown, address: string): ClientHttp2Session {
  const session = connect(`http://${address}`);
  session.on('error', () => {});
  t.teardown(() => session.destroy());
  return session;
}

export interface H2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: IncomingHttpHeaders | null;
  readonly informational: number[];
}

/** One request over a session, with its whole answer. Rejects when the stream is reset. */
export async function h2Request(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body: string | Buffer | null = null,
  trailers: OutgoingHttpHeaders | null = null,
): Promise<H2Answer> {
  const stream = session.request(headers, { endStream: body === null, waitForTrailers: trailers !== null });
  const informational: number[] = [];
  let answer: IncomingHttpHeaders = {};
  let came: IncomingHttpHeaders | null = null;
  const chunks: Buffer[] = [];
  stream.on('headers', (head) => void informational.push(Number(head[':status'])));
  stream.on('response', (head) => {
    answer = head;
  });
  stream.on('trailers', (head) => {
    came = head;
  });
  stream.on('data', (chunk: Buffer) => void chunks.push(chunk));
  if (trailers !== null) stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  if (body !== null) stream.end(body);
  await within(once(stream, 'close'), 'an answer over h2');
  if (stream.rstCode !== 0) throw new Error(`reset with ${stream.rstCode}`);
  const text = Buffer.concat(chunks).toString('latin1');
  return { status: Number(answer[':status']), headers: answer, body: text, trailers: came, informational };
}
