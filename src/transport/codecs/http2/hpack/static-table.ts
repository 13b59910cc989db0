import { kindOf } from '../field-kind.ts';

/** RFC 7541 appendix A, from index 1 on. */
const entries: readonly (readonly [string, string])[] = [
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  [':status', '200'],
  [':status', '204'],
  [':status', '206'],
  [':status', '304'],
  [':status', '400'],
  [':status', '404'],
  [':status', '500'],
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ['accept-language', ''],
  ['accept-ranges', ''],
  ['accept', ''],
  ['access-control-allow-origin', ''],
  ['age', ''],
  ['allow', ''],
  ['authorization', ''],
  ['cache-control', ''],
  ['content-disposition', ''],
  ['content-encoding', ''],
  ['content-language', ''],
  ['content-length', ''],
  ['content-location', ''],
  ['content-range', ''],
  ['content-type', ''],
  ['cookie', ''],
  ['date', ''],
  ['etag', ''],
  ['expect', ''],
  ['expires', ''],
  ['from', ''],
  ['host', ''],
  ['if-match', ''],
  ['if-modified-since', ''],
  ['if-none-match', ''],
  ['if-range', ''],
  ['if-unmodified-since', ''],
  ['last-modified', ''],
  ['link', ''],
  ['location', ''],
  ['max-forwards', ''],
  ['proxy-authenticate', ''],
  ['proxy-authorization', ''],
  ['range', ''],
  ['referer', ''],
  ['refresh', ''],
  ['retry-after', ''],
  ['server', ''],
  ['set-cookie', ''],
  ['strict-transport-security', ''],
  ['transfer-encoding', ''],
  ['user-agent', ''],
  ['vary', ''],
  ['via', ''],
  ['www-authenticate', ''],
];

export const staticCount: number = entries.length;

/** All entries as `name: value\r\n`, one after the other; entry `i` begins at `staticStarts[i]`. */
export const staticBytes: Buffer = Buffer.from(entries.map(([n, v]) => `${n}: ${v}\r\n`).join(''), 'latin1');
export const staticStarts: Uint16Array = new Uint16Array(staticCount + 2);
export const staticNameLengths: Uint8Array = new Uint8Array(staticCount + 1);
export const staticValueLengths: Uint8Array = new Uint8Array(staticCount + 1);
export const staticKinds: Uint8Array = new Uint8Array(staticCount + 1);

entries.forEach(([name, value], i) => {
  const start = staticStarts[i + 1] as number;
  staticStarts[i + 2] = start + name.length + value.length + 4;
  staticNameLengths[i + 1] = name.length;
  staticValueLengths[i + 1] = value.length;
  staticKinds[i + 1] = kindOf(staticBytes, start, start + name.length);
});

const hashPlaces = 256;
/** The first static index of a name, by the low bits of its hash; probed linearly. */
const byHash: Uint8Array = new Uint8Array(hashPlaces);

/** FNV-1a, as the encoder computes it over a name in lower case. */
export const hashSeed = -2_128_831_035;
export const hashStep = (hash: number, byte: number): number => Math.imul(hash ^ byte, 16_777_619);

entries.forEach(([name], i) => {
  let hash = hashSeed;
  for (let at = 0; at < name.length; at++) hash = hashStep(hash, name.charCodeAt(at));
  let place = hash & (hashPlaces - 1);
  while (byHash[place] !== 0) {
    if (entries[(byHash[place] as number) - 1]?.[0] === name) return;
    place = (place + 1) & (hashPlaces - 1);
  }
  byHash[place] = i + 1;
});

/**
 * The static index of the name that stands, in lower case, in `buf[start, start + length)`; 0 when there is none.
 * @param hash of that name
 */
export function staticIndexOf(hash: number, buf: Buffer, start: number, length: number): number {
  let place = hash & (hashPlaces - 1);
  for (;;) {
    const index = byHash[place] as number;
    if (index === 0) return 0;
    if (staticNameLengths[index] === length && isStaticName(index, buf, start, length)) return index;
    place = (place + 1) & (hashPlaces - 1);
  }
}

function isStaticName(index: number, buf: Buffer, start: number, length: number): boolean {
  const from = staticStarts[index] as number;
  for (let i = 0; i < length; i++) if (staticBytes[from + i] !== buf[start + i]) return false;
  return true;
}
