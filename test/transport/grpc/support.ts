import { once } from 'node:events';
import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { SeededRandom } from '../../../src/core/base/random.ts';
import { silentLogger } from '../../../src/core/observe/logger.ts';
import { MetricsTable } from '../../../src/core/observe/metrics.ts';
import { GrpcChannel, type GrpcChannelOptions } from '../../../src/transport/grpc/index.ts';
import { SystemClock } from '../../../src/transport/index.ts';
import type { Teardown } from '../../mesh/support.ts';

/** A message in its frame. */
export function frame(text: string | Buffer, flag = 0): Buffer {
  const bytes = Buffer.from(text as string);
  const framed = Buffer.alloc(5 + bytes.length);
  framed[0] = flag;
  framed.writeUInt32BE(bytes.length, 1);
  bytes.copy(framed, 5);
  return framed;
}

/** All messages of a body. */
export function unframe(body: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const length = body.readUInt32BE(at + 1);
    messages.push(body.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return messages;
}

export interface FakeServer {
  readonly address: string;
  readonly server: Http2Server;
  readonly sockets: Set<Socket>;
  /** Headers of every call, in order. */
  readonly calls: IncomingHttpHeaders[];
}

/** A node:http2 server that answers as a test says, broken answers included. */
export async function fakeServer(
  t: Teardown,
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, body: () => Promise<Buffer>) => void,
  settings: { readonly maxConcurrentStreams?: number } = {},
): Promise<FakeServer> {
  const server = createServer({ settings });
  const sockets = new Set<Socket>();
  const calls: IncomingHttpHeaders[] = [];
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  server.on('sessionError', () => {});
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    calls.push(headers);
    answer(stream, headers, async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, server, sockets, calls };
}

/** Answers with these messages, then the status. */
export function reply(
  stream: ServerHttp2Stream,
  messages: readonly (string | Buffer)[],
  trailers: Record<string, string | string[]> = { 'grpc-status': '0' },
  headers: Record<string, string | string[]> = {},
): void {
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', ...headers },
    { waitForTrailers: true },
  );
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  for (const message of messages) stream.write(frame(message));
  stream.end();
}

const surroundings = () => ({
  clock: new SystemClock(),
  random: new SeededRandom(1),
  logger: silentLogger,
  metrics: new MetricsTable(),
});

export function openChannel(t: Teardown, options: GrpcChannelOptions): GrpcChannel {
  const channel = new GrpcChannel(options, surroundings());
  t.teardown(() => channel.close());
  return channel;
}
