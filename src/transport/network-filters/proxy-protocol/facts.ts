import type { ArrivingConnection } from '../../../core/contract/network-filter.ts';
import { type ProxyHeader, type Tlv, TlvType } from './header.ts';
import { parseTlvs } from './parse.ts';

/** Longer values are of no use to matches and logs. */
const maxFactBytes = 256;
const sslHeadBytes = 5;

const texts: Readonly<Record<number, string>> = {
  [TlvType.alpn]: 'proxy.alpn',
  [TlvType.authority]: 'proxy.authority',
  [TlvType.sslVersion]: 'proxy.ssl.version',
  [TlvType.sslCommonName]: 'proxy.ssl.commonName',
  [TlvType.sslCipher]: 'proxy.ssl.cipher',
};

/** Leaves what the TLVs say on the connection; unknown ones as hex under `proxy.tlv.<type in hex>`. */
export function addProxyFacts(connection: ArrivingConnection, header: ProxyHeader): void {
  for (const tlv of header.tlvs) {
    if (tlv.type === TlvType.ssl) addSsl(connection, tlv.value);
    else addOne(connection, tlv);
  }
}

function addOne(connection: ArrivingConnection, { type, value }: Tlv): void {
  if (type === TlvType.crc32c || value.length > maxFactBytes) return;
  const name = texts[type];
  if (name !== undefined) connection.addFact(name, value.toString('utf8'));
  else if (type === TlvType.uniqueId) connection.addFact('proxy.uniqueId', value.toString('latin1'));
  else connection.addFact(`proxy.tlv.${type.toString(16)}`, value.toString('hex'));
}

/** client flags u8, verify u32 (0: verified), sub-TLVs. What does not fit is left out. */
function addSsl(connection: ArrivingConnection, value: Buffer): void {
  if (value.length < sslHeadBytes) return;
  const isCertified = ((value[0] as number) & 0x06) !== 0;
  connection.addFact('proxy.ssl.verified', String(isCertified && value.readUInt32BE(1) === 0));
  for (const tlv of parseTlvs(value, sslHeadBytes, value.length) ?? []) addOne(connection, tlv);
}
