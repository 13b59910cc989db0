import type { ApplicationMetadata, ServiceMetadata } from '../../../core/contract/service-source.ts';

/** Services of one application, and parameters of one service: bounds for what a stranger sends. */
const maxServices = 50_000;
const maxParameters = 1000;
const varint = 0;
const fixed64 = 1;
const lengthDelimited = 2;
const fixed32 = 5;

/** `MetadataRequest { string revision = 1 }`. */
export function encodeMetadataRequest(revision: string): Uint8Array {
  const text = Buffer.from(revision, 'utf8');
  const length: number[] = [];
  let rest = text.length;
  for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([0x0a, ...length, rest]), text]);
}

/**
 * `MetadataInfoV2 { string app = 1; string version = 2; map<string, ServiceInfoV2> services = 3 }`, of Dubbo's
 * metadata_service_v2.proto. `version` holds the revision.
 * @throws RangeError when the bytes are no such message
 */
export function decodeMetadataV2(bytes: Buffer): ApplicationMetadata {
  let application = '';
  let revision = '';
  const services = new Map<string, ServiceMetadata>();
  for (const [field, value] of fieldsOf(bytes)) {
    if (typeof value === 'number') continue;
    if (field === 1) application = value.toString('utf8');
    else if (field === 2) revision = value.toString('utf8');
    else if (field === 3) {
      if (services.size >= maxServices) throw new RangeError(`more than ${maxServices} services`);
      const [key, service] = entryOf(value);
      services.set(key, decodeService(service));
    }
  }
  return { application, revision, services };
}

/** `ServiceInfoV2 { name = 1; group = 2; version = 3; protocol = 4; int32 port = 5; path = 6; map params = 7 }`. */
function decodeService(bytes: Buffer): ServiceMetadata {
  const texts: string[] = [];
  let port = 0;
  const parameters: [string, string][] = [];
  for (const [field, value] of fieldsOf(bytes)) {
    if (typeof value === 'number') {
      if (field === 5) port = value;
    } else if (field === 7) {
      if (parameters.length >= maxParameters) throw new RangeError(`more than ${maxParameters} parameters`);
      const [key, text] = entryOf(value);
      parameters.push([key, text.toString('utf8')]);
    } else if (field <= 6) texts[field] = value.toString('utf8');
  }
  const [, name = '', group = '', version = '', protocol = '', , path = ''] = texts;
  return { name, group, version, protocol, port, path, parameters: Object.fromEntries(parameters) };
}

/** An entry of a map: the key is field 1, the value field 2. */
function entryOf(bytes: Buffer): [string, Buffer] {
  let key = '';
  let value: Buffer = Buffer.alloc(0);
  for (const [field, each] of fieldsOf(bytes)) {
    if (typeof each === 'number') continue;
    if (field === 1) key = each.toString('utf8');
    else if (field === 2) value = each;
  }
  return [key, value];
}

/** Each field with its number: an integer, or the bytes of a text or message. Fixed-width ones are passed over. */
function* fieldsOf(bytes: Buffer): Generator<[number, number | Buffer]> {
  let at = 0;
  const integer = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined || scale > 2 ** 63) throw new RangeError('a message ends too early');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = integer();
    const kind = tag % 8;
    const field = (tag - kind) / 8;
    if (kind === varint) yield [field, integer()];
    else if (kind === lengthDelimited) {
      const length = integer();
      if (length > bytes.length - at) throw new RangeError(`a field of ${length} bytes`);
      at += length;
      yield [field, bytes.subarray(at - length, at)];
    } else if (kind === fixed64) at += 8;
    else if (kind === fixed32) at += 4;
    else throw new RangeError(`wire type ${kind}`);
  }
}
