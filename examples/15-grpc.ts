/**
 * gRPC through a mesh: deadlines, retries by status and routes by method for calls of this program, without a socket in
 * between. Messages are JSON here; any protobuf library fits in their place. Clients of @grpc/grpc-js take
 * `mesh.grpc.channel('greeters')`, clients of @connectrpc/connect `mesh.grpc.connectTransport(...)`.
 */
import { once } from 'node:events';
import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { createMesh, type GrpcMethod, HeddleError } from '../src/index.ts';

const greet: GrpcMethod<{ name: string }, { text: string }> = {
  service: 'greet.Greeter',
  name: 'Greet',
  encode: (request) => Buffer.from(JSON.stringify(request)),
  decode: (bytes) => JSON.parse(bytes.toString()),
};

/** A server of a few lines: one frame in, one frame out, the status in the trailers. */
async function greeter(
  answer: (name: string, stream: ServerHttp2Stream) => string | null,
): Promise<Http2Server> {
  const server = createServer();
  server.on('stream', async (stream) => {
    stream.on('error', () => {});
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const { name } = JSON.parse(Buffer.concat(chunks).toString('utf8', 5)) as { name: string };
    const text = answer(name, stream);
    if (text === null) return;
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    const message = Buffer.from(JSON.stringify({ text }));
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([prefix, message]));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

let failures = 2;
const server = await greeter((name, stream) => {
  if (name === 'nobody') return null;
  if (name !== 'flaky' || failures-- <= 0) return `hello ${name}`;
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '14', 'grpc-message': 'busy' },
    { endStream: true },
  );
  return null;
});
const { port } = server.address() as { port: number };

await using mesh = await createMesh({
  inProcess: {
    virtualHosts: [
      {
        name: 'greeters',
        domains: ['greeters'],
        routes: [
          {
            match: { variables: [{ name: 'rpcMethod', exact: 'Greet' }] },
            cluster: 'greeters',
            retry: { on: ['unavailable'], numRetries: 2 },
          },
        ],
      },
    ],
  },
  clusters: [{ name: 'greeters', codec: 'http2', endpoints: [`127.0.0.1:${port}`] }],
});

const greeters = mesh.grpc.client('greeters');
for (const name of ['ann', 'flaky']) console.log((await greeters.unary(greet, { name })).text);

for (const method of [greet, { ...greet, name: 'Forget' }]) {
  try {
    await greeters.unary(method, { name: 'nobody' }, { timeoutMs: 100 });
  } catch (thrown) {
    if (!(thrown instanceof HeddleError)) throw thrown;
    console.log(method.name, thrown.code, thrown.context['statusName'], thrown.context['reason']);
  }
}
await mesh.close();
server.close();
