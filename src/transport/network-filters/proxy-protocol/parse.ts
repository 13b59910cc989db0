import { parseIpAddress } from '../../../core/base/ip-address.ts';
import { crc32c } from './crc32c.ts';
import {
  beginsWith,
  headV2Bytes,
  maxV1Bytes,
  type ProxyAddress,
  type ProxyHeader,
  type ProxyReading,
  signatureV1,
  signatureV2,
  type Tlv,
  TlvType,
} from './header.ts';
import { ipText } from './ip-text.ts';

const lineFeed = 10;
const carriageReturn = 13;

/** Reads the header at the beginning of a connection, `buf[start, end)`. Nothing is guessed: what is not exact is invalid. */
export function parseProxyHeader(buf: Buffer, start: number, end: number): ProxyReading {
  if (start === end) return 'more';
  if (beginsWith(buf, start, end, signatureV2)) return parseV2(buf, start, end);
  if (beginsWith(buf, start, end, signatureV1)) return parseV1(buf, start, end);
  return 'none';
}

function parseV1(buf: Buffer, start: number, end: number): ProxyReading {
  const until = Math.min(end, start + maxV1Bytes);
  const lf = buf.subarray(start, until).indexOf(lineFeed);
  if (lf < 0) return until - start === maxV1Bytes ? 'invalid' : 'more';
  if (buf[start + lf - 1] !== carriageReturn) return 'invalid';
  const line = buf.toString('latin1', start, start + lf - 1);
  const sizeBytes = lf + 1;
  const parts = line.split(' ');
  const family = parts[1];
  // What follows UNKNOWN is for the reader to ignore.
  if (family === 'UNKNOWN') return { sizeBytes, version: 1, source: null, destination: null, tlvs: [] };
  if ((family !== 'TCP4' && family !== 'TCP6') || parts.length !== 6) return 'invalid';
  const [, , from = '', to = '', fromPort = '', toPort = ''] = parts;
  const source = addressV1(from, fromPort, family);
  const destination = addressV1(to, toPort, family);
  if (source === null || destination === null) return 'invalid';
  return { sizeBytes, version: 1, source, destination, tlvs: [] };
}

function addressV1(text: string, port: string, family: 'TCP4' | 'TCP6'): ProxyAddress | null {
  const isV6 = text.includes(':');
  if (isV6 !== (family === 'TCP6') || text.includes('%')) return null;
  const bytes = parseIpAddress(text);
  if (bytes === null || !/^(0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65_535) return null;
  return { address: ipText(bytes), port: Number(port) };
}

function parseV2(buf: Buffer, start: number, end: number): ProxyReading {
  if (end - start > 12 && buf[start + 12] !== 0x20 && buf[start + 12] !== 0x21) return 'invalid';
  if (end - start > 13 && addressBytes(buf[start + 13] as number) < 0) return 'invalid';
  if (end - start < headV2Bytes) return 'more';
  const isLocal = buf[start + 12] === 0x20;
  const family = buf[start + 13] as number;
  const sizeBytes = headV2Bytes + buf.readUInt16BE(start + 14);
  if (end - start < sizeBytes) return 'more';
  const header = buf.subarray(start, start + sizeBytes);
  if (isLocal) return { sizeBytes, version: 2, source: null, destination: null, tlvs: [] };
  const tlvStart = headV2Bytes + addressBytes(family);
  if (tlvStart > sizeBytes) return 'invalid';
  const tlvs = parseTlvs(header, tlvStart, sizeBytes);
  if (tlvs === null || !isIntact(header, tlvStart)) return 'invalid';
  return { sizeBytes, version: 2, ...addressesV2(header, family), tlvs };
}

/** Room that addresses of a family take; -1: there is no such family. */
function addressBytes(family: number): number {
  if (family === 0x00) return 0;
  if (family === 0x11 || family === 0x12) return 12;
  if (family === 0x21 || family === 0x22) return 36;
  return family === 0x31 || family === 0x32 ? 216 : -1;
}

function addressesV2(header: Buffer, family: number): Pick<ProxyHeader, 'source' | 'destination'> {
  const kind = family >> 4;
  if (kind === 0) return { source: null, destination: null };
  if (kind === 3) {
    const unix = { address: 'unix', port: 0 };
    return { source: unix, destination: unix };
  }
  const size = kind === 1 ? 4 : 16;
  const at = (offset: number): string => ipText(header.subarray(offset, offset + size));
  const ports = headV2Bytes + 2 * size;
  return {
    source: { address: at(headV2Bytes), port: header.readUInt16BE(ports) },
    destination: { address: at(headV2Bytes + size), port: header.readUInt16BE(ports + 2) },
  };
}

/** Values are copied: the header's bytes go away. Null: a length that does not fit. */
export function parseTlvs(bytes: Buffer, start: number, end: number): Tlv[] | null {
  const tlvs: Tlv[] = [];
  let at = start;
  while (at < end) {
    if (at + 3 > end) return null;
    const until = at + 3 + bytes.readUInt16BE(at + 1);
    if (until > end) return null;
    const type = bytes[at] as number;
    if (type !== TlvType.noop) tlvs.push({ type, value: Buffer.from(bytes.subarray(at + 3, until)) });
    at = until;
  }
  return tlvs;
}

/** A header with a checksum must have the right one: over all of it, the checksum's own bytes as 0. */
function isIntact(header: Buffer, tlvStart: number): boolean {
  for (let at = tlvStart; at < header.length; at += 3 + header.readUInt16BE(at + 1)) {
    if (header[at] !== TlvType.crc32c) continue;
    if (header.readUInt16BE(at + 1) !== 4) return false;
    const copy = Buffer.from(header);
    copy.fill(0, at + 3, at + 7);
    return crc32c(copy) === header.readUInt32BE(at + 3);
  }
  return true;
}
