import { HeddleError } from './errors.ts';

/** `tchar` of RFC 9110 §5.6.2: 1 where a byte may stand in a header name or method. */
export const tokenByte = new Uint8Array(256);
for (const each of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  tokenByte[each.charCodeAt(0)] = 1;
}

/** `field-content` of RFC 9110 §5.5 with obs-text: 1 where a byte may stand in a header value. */
export const valueByte = new Uint8Array(256).fill(1);
valueByte.fill(0, 0, 32);
valueByte[9] = 1;
valueByte[127] = 0;

/** ASCII lower case; every other byte is itself. */
export const lowerByte = new Uint8Array(256);
for (let each = 0; each < 256; each++) lowerByte[each] = each >= 65 && each <= 90 ? each + 32 : each;

/** A header that is written many times: its wire bytes are made once. */
export interface HeaderField {
  readonly name: string;
  readonly value: string;
  /** `name: value\r\n` */
  readonly bytes: Buffer;
  /** `nameBit` of the name. */
  readonly bit: number;
  /** A codec may write a field of that name itself. */
  readonly mayFrame: boolean;
}

/** For each length the first letters, as bits, of the fields that a codec writes itself. */
const framingLetters = new Int32Array(32);
for (const name of ['host', 'upgrade', 'connection', 'keep-alive', 'content-length', 'transfer-encoding'])
  framingLetters[name.length] = (framingLetters[name.length] as number) | (1 << (name.charCodeAt(0) & 31));

/** May a name of that length and first letter (in lower case) be one that a codec writes itself? */
export function mayFrame(length: number, first: number): boolean {
  return length < 32 && ((framingLetters[length] as number) & (1 << (first & 31))) !== 0;
}

/** Length and first letter (in lower case) tell nearly all header names apart. Exact names are in lower case here, too: bits may lie, names not. */
export function nameBit(length: number, first: number): number {
  return 1 << ((length * 5 + first) & 31);
}

/** `nameBit` of a name, in whatever case. */
export function bitOfName(name: string): number {
  return nameBit(name.length, lowerByte[name.charCodeAt(0) & 255] as number);
}

/** @throws HeddleError ERR_HEADER_INVALID */
export function headerField(name: string, value: string): HeaderField {
  checkHeader(name, value);
  const first = lowerByte[name.charCodeAt(0)] as number;
  return {
    name,
    value,
    bytes: Buffer.from(`${name}: ${value}\r\n`, 'latin1'),
    bit: nameBit(name.length, first),
    mayFrame: mayFrame(name.length, first),
  };
}

/** @throws HeddleError ERR_HEADER_INVALID when the name is no token or the value holds a control character. */
export function checkHeader(name: string, value: string): void {
  if (name.length === 0) throw new HeddleError('ERR_HEADER_INVALID', 'the name is empty');
  for (let i = 0; i < name.length; i++) {
    if (tokenByte[name.charCodeAt(i)] !== 1)
      throw new HeddleError('ERR_HEADER_INVALID', JSON.stringify(name));
  }
  for (let i = 0; i < value.length; i++) {
    if (valueByte[value.charCodeAt(i)] !== 1) {
      throw new HeddleError('ERR_HEADER_INVALID', `value of ${name} at character ${i}`);
    }
  }
}

/** May these bytes stand as a header name? Of heads from RPC protocols, whose names may be any text. */
export function isToken(buf: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (tokenByte[buf[at] as number] !== 1) return false;
  return end > start;
}

/** May these bytes stand as a header value? */
export function isValue(buf: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (valueByte[buf[at] as number] !== 1) return false;
  return true;
}
