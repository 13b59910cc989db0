/**
 * A method and how its messages become bytes. Any protobuf library fits; so does JSON.
 *
 * @example
 * const sayHello: GrpcMethod<Hello, Greeting> = {
 *   service: 'greet.Greeter',
 *   name: 'SayHello',
 *   encode: (hello) => toBinary(HelloSchema, hello),
 *   decode: (bytes) => fromBinary(GreetingSchema, bytes),
 * };
 */
export interface GrpcMethod<Request = Uint8Array, Response = Uint8Array> {
  /** With its package: "grpc.health.v1.Health". */
  readonly service: string;
  readonly name: string;
  encode(request: Request): Uint8Array;
  /** The bytes are its own to keep. What it throws ends the call as INTERNAL. */
  decode(bytes: Buffer): Response;
}

/** A method whose messages stay bytes. */
export function bytesMethod(service: string, name: string): GrpcMethod<Uint8Array, Buffer> {
  return { service, name, encode: (request) => request, decode: (bytes) => bytes };
}
