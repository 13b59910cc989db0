import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { gateway, proxyProcess } from '../../e2e/support.ts';
import { within } from '../../mesh/support.ts';
import { type Check, NotInstalled, type Scope } from '../kit/check.ts';

/** What of @grpc/grpc-js is used here; its own types are only there once it is installed. */
interface Grpc {
  readonly Server: new () => {
    addService(service: object, handlers: object): void;
    bindAsync(address: string, credentials: unknown, done: (error: Error | null, port: number) => void): void;
    forceShutdown(): void;
  };
  readonly ServerCredentials: { createInsecure(): unknown };
  readonly credentials: { createInsecure(): unknown };
  readonly status: Readonly<Record<string, number>>;
  makeGenericClientConstructor(
    service: object,
    name: string,
  ): new (
    address: string,
    credentials: unknown,
  ) => unknown;
}

function load(): Grpc {
  try {
    return createRequire(import.meta.url)('@grpc/grpc-js') as Grpc;
  } catch {
    throw new NotInstalled('@grpc/grpc-js', 'npm ci in test/interop');
  }
}

const asIs = (bytes: Buffer): Buffer => bytes;
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});
const service = {
  unary: method('unary', false, false),
  client: method('client', true, false),
  server: method('server', false, true),
  both: method('both', true, true),
};

/** A server that echoes, counts or fails. */
async function startServer(grpc: Grpc, scope: Scope): Promise<string> {
  const server = new grpc.Server();
  server.addService(service, {
    unary(call: { request: Buffer }, done: (error: object | null, answer?: Buffer) => void) {
      if (call.request.length === 0) done({ code: grpc.status['NOT_FOUND'], details: 'größer als nichts' });
      else done(null, call.request);
    },
    client(call: NodeJS.ReadableStream, done: (error: null, answer: Buffer) => void) {
      let bytes = 0;
      call.on('data', (part: Buffer) => {
        bytes += part.length;
      });
      call.on('end', () => done(null, Buffer.from(String(bytes))));
    },
    server(call: { request: Buffer; write(part: Buffer): void; end(): void }) {
      for (let i = 0; i < 5; i++) call.write(Buffer.concat([call.request, Buffer.of(48 + i)]));
      call.end();
    },
    both(call: NodeJS.ReadWriteStream) {
      call.on('data', (part: Buffer) => void call.write(part as never));
      call.on('end', () => void call.end());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  scope.teardown(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

/** @grpc/grpc-js as client and as server, the four kinds of calls, an error with trailers, a cancelled stream. */
export const check: Check = {
  what: 'grpc-js client and server through an h2c listener, all four kinds of calls',
  async run(scope) {
    const grpc = load();
    const up = await startServer(grpc, scope);
    const clusters = [{ name: 'up', endpoints: [up], codec: 'http2' }];
    const proxy = await proxyProcess(scope, { ...gateway(up, { codec: 'http2' }), clusters });
    const Client = grpc.makeGenericClientConstructor(service, 'Echo');
    const client = new Client(proxy.address, grpc.credentials.createInsecure()) as Record<
      string,
      (...args: unknown[]) => NodeJS.ReadWriteStream & { cancel(): void }
    > & { close(): void };
    scope.teardown(() => client.close());

    const unary = (body: Buffer) =>
      new Promise<Buffer>((resolve, reject) => {
        client['unary']?.(body, (error: Error | null, answer: Buffer) =>
          error === null ? resolve(answer) : reject(error),
        );
      });
    for (let i = 0; i < 200; i++) {
      const body = Buffer.alloc(1 + i * 1000, i);
      assert.ok((await within(unary(body), 'a unary call')).equals(body));
    }
    const all = await within(
      Promise.all(Array.from({ length: 300 }, () => unary(Buffer.from('x')))),
      '300 calls at once',
    );
    assert.equal(all.length, 300);
    await assert.rejects(unary(Buffer.alloc(0)), (error: { code: number; details: string }) => {
      assert.equal(error.code, grpc.status['NOT_FOUND']);
      assert.equal(error.details, 'größer als nichts');
      return true;
    });

    const counted = await within(
      new Promise<string>((resolve, reject) => {
        const call = client['client']?.((error: Error | null, answer: Buffer) =>
          error === null ? resolve(String(answer)) : reject(error),
        );
        for (let i = 0; i < 10; i++) call?.write(Buffer.alloc(20_000) as never);
        call?.end();
      }),
      'a client stream',
    );
    assert.equal(counted, '200000');

    const parts: string[] = [];
    const stream = client['server']?.(Buffer.from('n')) as NodeJS.ReadableStream;
    for await (const part of stream) parts.push(String(part));
    assert.deepEqual(parts, ['n0', 'n1', 'n2', 'n3', 'n4']);

    const both = client['both']?.() as NodeJS.ReadWriteStream;
    let echoed = 0;
    const ended = new Promise<void>((resolve, reject) => {
      both.on('data', (part: Buffer) => {
        echoed += part.length;
      });
      both.on('end', resolve);
      both.on('error', reject);
    });
    for (let i = 0; i < 20; i++) both.write(Buffer.alloc(50_000) as never);
    both.end();
    await within(ended, 'a stream both ways');
    assert.equal(echoed, 1_000_000);

    const cancelled = client['both']?.() as NodeJS.ReadWriteStream & { cancel(): void };
    const error = await within(
      new Promise<{ code: number }>((resolve) => {
        cancelled.on('error', resolve);
        cancelled.write(Buffer.from('a') as never);
        cancelled.on('data', () => cancelled.cancel());
      }),
      'a cancelled stream',
    );
    assert.equal(error.code, grpc.status['CANCELLED']);
    return '500 unary calls, streams of 200 kB and 1 MB, an error and a cancel';
  },
};
