import type { GrpcMethod } from '../../../grpc/index.ts';

/**
 * Everything that Nacos says over gRPC (nacos_grpc_service.proto):
 *
 *   Payload  { Metadata metadata = 2; google.protobuf.Any body = 3 }
 *   Metadata { string type = 3; map<string, string> headers = 7; string clientIp = 8 }
 *   Any      { string type_url = 1; bytes value = 2 }      the value is JSON, there is no type_url
 */
export interface NacosPayload {
  /** Simple name of the Java class that the body stands for. */
  readonly type: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: Buffer;
}

const lengthDelimited = 2;
const tag = (field: number): number => (field << 3) | lengthDelimited;

export function encodePayload({ type, headers, body }: NacosPayload): Buffer {
  const entries = Object.entries(headers).map(([key, value]) =>
    field(7, Buffer.concat([text(1, key), text(2, value)])),
  );
  return Buffer.concat([
    field(2, Buffer.concat([text(3, type), ...entries])),
    field(3, body.length === 0 ? body : field(2, body)),
  ]);
}

/** Unknown fields are passed over. @throws RangeError for what is no such message */
export function decodePayload(bytes: Buffer): NacosPayload {
  let type = '';
  let body: Buffer = Buffer.alloc(0);
  const headers: Record<string, string> = Object.create(null);
  for (const [number, value] of fieldsOf(bytes)) {
    if (number === 3) {
      for (const [inner, content] of fieldsOf(value)) if (inner === 2) body = content;
    } else if (number === 2) {
      for (const [inner, content] of fieldsOf(value)) {
        if (inner === 3) type = content.toString('utf8');
        else if (inner === 7) addEntry(headers, content);
      }
    }
  }
  return { type, headers, body };
}

const codec = { encode: encodePayload, decode: decodePayload } as const;

/** Neither service has a package. */
export const requestMethod: GrpcMethod<NacosPayload, NacosPayload> = {
  service: 'Request',
  name: 'request',
  ...codec,
};
export const streamMethod: GrpcMethod<NacosPayload, NacosPayload> = {
  service: 'BiRequestStream',
  name: 'requestBiStream',
  ...codec,
};

function addEntry(headers: Record<string, string>, bytes: Buffer): void {
  let key = '';
  let value = '';
  for (const [number, content] of fieldsOf(bytes)) {
    if (number === 1) key = content.toString('utf8');
    else if (number === 2) value = content.toString('utf8');
  }
  headers[key] = value;
}

function text(number: number, value: string): Buffer {
  return field(number, Buffer.from(value, 'utf8'));
}

function field(number: number, value: Buffer): Buffer {
  const head: number[] = [tag(number)];
  let rest = value.length;
  for (; rest > 127; rest >>>= 7) head.push((rest & 127) | 128);
  head.push(rest);
  return Buffer.concat([Buffer.from(head), value]);
}

/** The length-delimited fields of a message; numbers of other kinds are passed over. */
function* fieldsOf(bytes: Buffer): Generator<readonly [number, Buffer]> {
  const reader = { bytes, at: 0 };
  while (reader.at < bytes.length) {
    const key = varint(reader);
    const kind = key & 7;
    if (kind === 0) varint(reader);
    else if (kind === 1) skip(reader, 8);
    else if (kind === 5) skip(reader, 4);
    else if (kind === lengthDelimited) {
      const length = varint(reader);
      const start = reader.at;
      skip(reader, length);
      yield [key >>> 3, bytes.subarray(start, reader.at)];
    } else throw new RangeError(`a field of kind ${kind}`);
  }
}

interface Reader {
  readonly bytes: Buffer;
  at: number;
}

function skip(reader: Reader, count: number): void {
  reader.at += count;
  if (reader.at > reader.bytes.length) throw new RangeError('a message that is cut off');
}

/** Up to 2^53; nothing here is longer. */
function varint(reader: Reader): number {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = reader.bytes[reader.at++];
    if (byte === undefined) throw new RangeError('a message that is cut off');
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) {
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
  }
  throw new RangeError('a number that is too long');
}
