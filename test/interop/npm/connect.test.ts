import { createRequire } from 'node:module';
import test, { type ExecutionContext } from 'ava';
import { createMesh } from '../../../src/index.ts';
import { within } from '../../mesh/support.ts';
import { loadGrpcJs, startEchoServer } from '../kit/grpc-js.ts';

/**
 * Clients of @connectrpc/connect: transports of connect-node through a proxy, and `mesh.grpc.connectTransport`. The
 * server is one of @grpc/grpc-js.
 */
const require = createRequire(import.meta.url);

interface Wrapped {
  readonly value: Uint8Array;
}
interface Call {
  readonly message: Wrapped & AsyncIterable<Wrapped>;
}
interface Transport {
  unary(
    method: unknown,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: Headers | undefined,
    message: unknown,
  ): Promise<Call & { readonly header: Headers; readonly trailer: Headers }>;
  stream(
    method: unknown,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: Headers | undefined,
    messages: AsyncIterable<unknown>,
  ): Promise<Call>;
}
type CreateTransport = (options: object) => Transport;

const connect = '@connectrpc/connect';
const { createTransport } = require(`${connect}/protocol-grpc`) as {
  createTransport: CreateTransport;
};
const node = require('@connectrpc/connect-node') as {
  createGrpcTransport: CreateTransport;
  createGrpcWebTransport: CreateTransport;
};
const { create } = require('@bufbuild/protobuf') as {
  create(schema: unknown, message: unknown): unknown;
};
const { BytesValueSchema, file_google_protobuf_wrappers } = require('@bufbuild/protobuf/wkt') as {
  BytesValueSchema: unknown;
  file_google_protobuf_wrappers: unknown;
};

/** A method as generated code would describe it; messages are google.protobuf.BytesValue. */
function method(name: string, methodKind: string): unknown {
  return {
    kind: 'rpc',
    name,
    localName: name,
    methodKind,
    input: BytesValueSchema,
    output: BytesValueSchema,
    idempotency: undefined,
    parent: { typeName: 'test.Echo', file: file_google_protobuf_wrappers },
  };
}
const message = (text: string): unknown => create(BytesValueSchema, { value: Buffer.from(text) });

async function transports(t: ExecutionContext): Promise<Readonly<Record<string, Transport>>> {
  const up = await startEchoServer(loadGrpcJs(), t);
  const routes = [{ cluster: 'up' }];
  const mesh = await createMesh({
    listeners: [
      {
        name: 'grpc',
        address: '127.0.0.1:0',
        codec: 'http2',
        virtualHosts: [{ name: 'all', domains: ['*'], routes }],
      },
      {
        name: 'web',
        address: '127.0.0.1:0',
        filters: ['grpc-web'],
        virtualHosts: [{ name: 'all', domains: ['*'], routes }],
      },
    ],
    clusters: [{ name: 'up', endpoints: [up], codec: 'http2' }],
  });
  t.teardown(() => mesh.close());
  const { grpc, web } = mesh.listeners.addresses;
  return {
    'gRPC of connect-node': node.createGrpcTransport({ baseUrl: `http://${grpc}`, nodeOptions: {} }),
    'gRPC-Web of connect-node': node.createGrpcWebTransport({ baseUrl: `http://${web}`, httpVersion: '1.1' }),
    'mesh.grpc.connectTransport': mesh.grpc.connectTransport(createTransport as never, {
      baseUrl: 'http://up',
    }) as Transport,
  };
}

test('clients of connect call in the kinds that their transports have', async (t) => {
  for (const [name, transport] of Object.entries(await transports(t))) {
    const header = new Headers({ 'x-text': 'ja' });
    const unary = transport.unary(method('unary', 'unary'), undefined, 5000, header, message('hello'));
    const answer = await within(unary, name);
    t.is(String(Buffer.from(answer.message.value)), 'hello', name);
    t.is(answer.trailer.get('x-text'), 'ja', name);

    const both = method('both', 'bidi_streaming');
    const kind = name.startsWith('gRPC-Web') ? method('both', 'server_streaming') : both;
    const sent = (async function* () {
      yield message('one');
      if (!name.startsWith('gRPC-Web')) yield message('two');
    })();
    const got: string[] = [];
    const call = await within(transport.stream(kind, undefined, 5000, undefined, sent), name);
    for await (const each of call.message) got.push(String(Buffer.from(each.value)));
    t.deepEqual(got, name.startsWith('gRPC-Web') ? ['one'] : ['one', 'two'], name);
  }
});

test('clients of connect hear of errors', async (t) => {
  for (const [name, transport] of Object.entries(await transports(t))) {
    const missing = transport.unary(method('nothing', 'unary'), undefined, 5000, undefined, message('hello'));
    const error = (await t.throwsAsync(within(missing, name))) as Error & { code: number };
    t.is(error.code, 12, name);
  }
});
