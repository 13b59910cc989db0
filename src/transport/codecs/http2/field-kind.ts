import { tokenByte, valueByte } from '../../../core/base/header-field.ts';

/**
 * What a header name means to the codec, found once a field: table entries carry it along. Up to `protocol` they are
 * pseudo-headers, from `unknownPseudo` on a message that has one is malformed.
 */
export const FieldKind = {
  plain: 0,
  method: 1,
  scheme: 2,
  authority: 3,
  path: 4,
  status: 5,
  protocol: 6,
  contentLength: 7,
  host: 8,
  te: 9,
  cookie: 10,
  expect: 11,
  underscore: 12,
  /** Means one hop only or poses as somebody else: never passed on, in any protocol. */
  hopOnly: 13,
  unknownPseudo: 16,
  /** RFC 9113 §8.2.2. */
  connectionSpecific: 17,
  invalidName: 18,
} as const;

/** Bits beside the kind. */
export const FieldFlag = { invalidValue: 1, obsText: 2 } as const;

const kinds: ReadonlyMap<number, readonly { readonly name: Buffer; readonly kind: number }[]> = byKey([
  [':method', FieldKind.method],
  [':scheme', FieldKind.scheme],
  [':authority', FieldKind.authority],
  [':path', FieldKind.path],
  [':status', FieldKind.status],
  [':protocol', FieldKind.protocol],
  ['content-length', FieldKind.contentLength],
  ['host', FieldKind.host],
  ['te', FieldKind.te],
  ['cookie', FieldKind.cookie],
  ['expect', FieldKind.expect],
  ['connection', FieldKind.connectionSpecific],
  ['keep-alive', FieldKind.connectionSpecific],
  ['proxy-connection', FieldKind.connectionSpecific],
  ['transfer-encoding', FieldKind.connectionSpecific],
  ['upgrade', FieldKind.connectionSpecific],
  ['http2-settings', FieldKind.hopOnly],
  ['proxy-authenticate', FieldKind.hopOnly],
  ['proxy-authorization', FieldKind.hopOnly],
  // CGI turns it into HTTP_PROXY (httpoxy, CVE-2016-5385).
  ['proxy', FieldKind.hopOnly],
]);
/** For each length the first letters of the names above, as bits: other fields are passed over by one look. */
const firstLetters: Int32Array = new Int32Array(32);
for (const key of kinds.keys()) {
  firstLetters[key >> 8] = (firstLetters[key >> 8] as number) | (1 << (key & 31));
}

function byKey(all: readonly (readonly [string, number])[]) {
  const map = new Map<number, { name: Buffer; kind: number }[]>();
  for (const [name, kind] of all) {
    const key = (name.length << 8) | name.charCodeAt(0);
    const list = map.get(key) ?? [];
    list.push({ name: Buffer.from(name), kind });
    map.set(key, list);
  }
  return map;
}

/** Lower-case `tchar`: what may stand in a name (RFC 9113 §8.2.1). 2: an underscore. */
const nameByte: Uint8Array = Uint8Array.from(tokenByte, (allowed, byte) => {
  if (byte >= 65 && byte <= 90) return 0;
  return byte === 95 ? 2 : allowed;
});

/** The kind of the name that stands in `buf[start, end)`. */
export function kindOf(buf: Buffer, start: number, end: number): number {
  const length = end - start;
  const first = buf[start] as number;
  if (length < 32 && ((firstLetters[length] as number) & (1 << (first & 31))) !== 0) {
    const known = namedKind(buf, start, length, first);
    if (known !== FieldKind.plain) return known;
  }
  if (length === 0) return FieldKind.invalidName;
  if (first === 58) return FieldKind.unknownPseudo;
  let kind: number = FieldKind.plain;
  for (let at = start; at < end; at++) {
    const allowed = nameByte[buf[at] as number];
    if (allowed === 1) continue;
    if (allowed === 0) return FieldKind.invalidName;
    kind = FieldKind.underscore;
  }
  return kind;
}

function namedKind(buf: Buffer, start: number, length: number, first: number): number {
  const list = kinds.get((length << 8) | first);
  if (list === undefined) return FieldKind.plain;
  for (const { name, kind } of list) {
    let i = 0;
    while (i < length && buf[start + i] === name[i]) i++;
    if (i === length) return kind;
  }
  return FieldKind.plain;
}

/** `FieldFlag` bits of a value: control characters, white space at its ends, bytes above 0x7F. */
export function flagsOfValue(buf: Buffer, start: number, end: number): number {
  if (start === end) return 0;
  let above = 0;
  for (let at = start; at < end; at++) {
    const byte = buf[at] as number;
    if (valueByte[byte] !== 1) return FieldFlag.invalidValue;
    above |= byte;
  }
  const first = buf[start];
  const last = buf[end - 1];
  if (first === 32 || first === 9 || last === 32 || last === 9) return FieldFlag.invalidValue;
  return above > 127 ? FieldFlag.obsText : 0;
}
