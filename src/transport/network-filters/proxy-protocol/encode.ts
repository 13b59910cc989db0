import { parseIpAddress } from '../../../core/base/ip-address.ts';
import { crc32c } from './crc32c.ts';
import { headV2Bytes, type ProxyAddress, signatureV2, TlvType } from './header.ts';

/** What a header says beside the addresses; "" is left out. */
export interface ProxyFacts {
  readonly authority: string;
  readonly alpn: string;
}

const none: ProxyFacts = { authority: '', alpn: '' };
const maxTlvBytes = 1024;

/** The header that tells a host who its client is. Version 2 carries a checksum. */
export function encodeProxyHeader(
  version: 1 | 2,
  source: ProxyAddress,
  destination: ProxyAddress,
  facts: ProxyFacts = none,
): Buffer {
  const pair = sameFamily(parseIpAddress(source.address), parseIpAddress(destination.address));
  if (version === 2) return encodeV2(pair, source.port, destination.port, facts);
  if (pair === null) return encodeLocal(1);
  const isV6 = pair[0].length === 16;
  const text = [isV6 ? 'TCP6' : 'TCP4', ...pair.map(textV1), source.port, destination.port].join(' ');
  return Buffer.from(`PROXY ${text}\r\n`, 'latin1');
}

/** The header of a connection that is the proxy's own: health checks, pools. */
export function encodeLocal(version: 1 | 2): Buffer {
  if (version === 1) return Buffer.from('PROXY UNKNOWN\r\n', 'latin1');
  return Buffer.concat([signatureV2, Buffer.from([0x20, 0, 0, 0])]);
}

type Pair = readonly [Uint8Array, Uint8Array];

/** Both ends in one family: where they differ, the IPv4 one is written as a mapped address. */
function sameFamily(source: Uint8Array | null, destination: Uint8Array | null): Pair | null {
  if (source === null || destination === null) return null;
  if (source.length === destination.length) return [source, destination];
  return [mapped(source), mapped(destination)];
}

function mapped(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 16) return bytes;
  return Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...bytes]);
}

/** In full, so that a mapped address stays one of the family that is announced. */
function textV1(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const hex = Buffer.from(bytes).toString('hex');
  return (hex.match(/.{4}/g) as string[]).map((group) => Number.parseInt(group, 16).toString(16)).join(':');
}

function encodeV2(pair: Pair | null, fromPort: number, toPort: number, facts: ProxyFacts): Buffer {
  const addresses = pair === null ? Buffer.alloc(0) : Buffer.concat([...pair, ports(fromPort, toPort)]);
  const tlvs = [tlv(TlvType.crc32c, Buffer.alloc(4))];
  for (const [type, text] of [
    [TlvType.authority, facts.authority],
    [TlvType.alpn, facts.alpn],
  ] as const) {
    const value = Buffer.from(text, 'latin1');
    if (value.length > 0 && value.length <= maxTlvBytes) tlvs.push(tlv(type, value));
  }
  const body = Buffer.concat([addresses, ...tlvs]);
  const family = pair === null ? 0x00 : pair[0].length === 4 ? 0x11 : 0x21;
  const head = Buffer.from([0x21, family, body.length >> 8, body.length & 255]);
  const header = Buffer.concat([signatureV2, head, body]);
  header.writeUInt32BE(crc32c(header), headV2Bytes + addresses.length + 3);
  return header;
}

function ports(from: number, to: number): Buffer {
  return Buffer.from([from >> 8, from & 255, to >> 8, to & 255]);
}

function tlv(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), value]);
}
