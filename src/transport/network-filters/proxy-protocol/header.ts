/** A PROXY protocol header (haproxy.org proxy-protocol.txt, versions 1 and 2), read. */
export interface ProxyHeader {
  /** Bytes it takes on the wire. */
  readonly sizeBytes: number;
  readonly version: 1 | 2;
  /** Null for LOCAL, UNKNOWN and UNSPEC: the addresses of the socket count. */
  readonly source: ProxyAddress | null;
  readonly destination: ProxyAddress | null;
  readonly tlvs: readonly Tlv[];
}

export interface ProxyAddress {
  /** IP, or "unix". */
  readonly address: string;
  readonly port: number;
}

export interface Tlv {
  readonly type: number;
  readonly value: Buffer;
}

export const TlvType = {
  alpn: 0x01,
  authority: 0x02,
  crc32c: 0x03,
  noop: 0x04,
  uniqueId: 0x05,
  ssl: 0x20,
  sslVersion: 0x21,
  sslCommonName: 0x22,
  sslCipher: 0x23,
} as const;

/** `none`: this is no PROXY header. */
export type ProxyReading = ProxyHeader | 'more' | 'none' | 'invalid';

export const signatureV2: Buffer = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
export const signatureV1: Buffer = Buffer.from('PROXY ', 'latin1');
export const headV2Bytes = 16;
/** With CRLF. */
export const maxV1Bytes = 107;

/** Whether `buf[start, end)` begins with `prefix`; as far as it goes. */
export function beginsWith(buf: Buffer, start: number, end: number, prefix: Buffer): boolean {
  const until = Math.min(end, start + prefix.length);
  for (let at = start; at < until; at++) if (buf[at] !== prefix[at - start]) return false;
  return true;
}
