import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type { Teardown } from '../../mesh/support.ts';
import { NotInstalled } from './check.ts';

/** Metadata of @grpc/grpc-js. */
export interface GrpcJsMetadata {
  get(name: string): (string | Buffer)[];
  set(name: string, value: string | Buffer): void;
  add(name: string, value: string | Buffer): void;
  getMap(): Record<string, string | Buffer>;
}

/** What a handler gets; which members are there depends on the kind. */
export interface ServerCall extends Duplex {
  readonly request: Buffer;
  readonly metadata: GrpcJsMetadata;
  readonly cancelled: boolean;
  getDeadline(): Date | number;
  getPeer(): string;
  sendMetadata(metadata: GrpcJsMetadata): void;
}
export type Answer = (error: object | null, value?: Buffer, trailers?: GrpcJsMetadata) => void;

/** A call of the client: emits metadata, status, data, end, error. */
export interface ClientCall extends Duplex {
  cancel(): void;
  getPeer(): string;
}

export interface ServiceError extends Error {
  readonly code: number;
  readonly details: string;
  readonly metadata: GrpcJsMetadata;
}

/** A client made by `makeGenericClientConstructor`. */
export type GrpcJsClient = Readonly<Record<string, (...args: unknown[]) => ClientCall>> & { close(): void };

/** What of @grpc/grpc-js is used here; its own types are only there once it is installed. */
export interface GrpcJs {
  readonly Server: new (
    options?: object,
  ) => {
    addService(service: object, handlers: object): void;
    bindAsync(address: string, credentials: unknown, done: (error: Error | null, port: number) => void): void;
    forceShutdown(): void;
  };
  readonly Metadata: new () => GrpcJsMetadata;
  readonly ServerCredentials: { createInsecure(): unknown };
  readonly credentials: { createInsecure(): unknown };
  readonly status: Readonly<Record<string, number>>;
  makeGenericClientConstructor(
    service: object,
    name: string,
  ): new (
    address: string,
    credentials: unknown,
    options?: object,
  ) => GrpcJsClient;
}

/** @throws NotInstalled */
export function loadGrpcJs(): GrpcJs {
  try {
    return createRequire(import.meta.url)('@grpc/grpc-js') as GrpcJs;
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

/** All four kinds, messages as bytes. */
export const echoService = {
  unary: method('unary', false, false),
  client: method('client', true, false),
  server: method('server', false, true),
  both: method('both', true, true),
};

/**
 * A server that echoes, counts or fails.
 *
 *   unary   echoes; "" is NOT_FOUND; metadata `x-...` comes back in head and trailers; "wait" answers when cancelled only
 *   client  the number of bytes       server  five messages, request plus a digit       both  echoes each
 */
export async function startEchoServer(grpc: GrpcJs, t: Teardown): Promise<string> {
  const server = new grpc.Server({
    'grpc.max_receive_message_length': 16 * 1024 * 1024,
    'grpc.max_send_message_length': 16 * 1024 * 1024,
  });
  server.addService(echoService, {
    unary(call: ServerCall, done: Answer) {
      const given = call.metadata.getMap();
      const back = new grpc.Metadata();
      for (const name of Object.keys(given)) {
        if (name.startsWith('x-')) back.set(name, given[name] as string);
      }
      if (String(call.request) === 'wait') return;
      if (call.request.length === 0) {
        back.set('grpc-status-details-bin', Buffer.from([8, 5]));
        done({ code: grpc.status['NOT_FOUND'], details: 'größer als nichts', metadata: back });
      } else {
        call.sendMetadata(back);
        done(null, call.request, back);
      }
    },
    client(call: ServerCall, done: Answer) {
      let bytes = 0;
      call.on('data', (part: Buffer) => {
        bytes += part.length;
      });
      call.on('end', () => done(null, Buffer.from(String(bytes))));
    },
    server(call: ServerCall) {
      for (let i = 0; i < 5; i++) call.write(Buffer.concat([call.request, Buffer.of(48 + i)]));
      call.end();
    },
    both(call: ServerCall) {
      call.on('data', (part: Buffer) => void call.write(part));
      call.on('end', () => void call.end());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  t.teardown(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}
