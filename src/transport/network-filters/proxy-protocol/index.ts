import * as v from 'valibot';
import { IpBlocks, parseIpAddress, parseIpBlock } from '../../../core/base/ip-address.ts';
import {
  Admission,
  type ArrivingConnection,
  type NetworkFilter,
  type NetworkFilterContext,
  type NetworkFilterDefinition,
} from '../../../core/contract/network-filter.ts';
import { formatAddress } from '../../wire/address.ts';
import { networkCounters } from '../count.ts';
import { addProxyFacts } from './facts.ts';
import type { ProxyHeader } from './header.ts';
import { parseProxyHeader } from './parse.ts';

const integer = (min: number, max: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));

const config = v.strictObject({
  /** Who may say whom he speaks for: address blocks, or "unix". */
  trusted: v.pipe(
    v.array(
      v.pipe(
        v.string(),
        v.check(
          (text) => text === 'unix' || parseIpBlock(text) !== null,
          'an IP address, a block such as 10.0.0.0/8, or "unix"',
        ),
      ),
    ),
    v.minLength(1, 'at least one trusted source'),
  ),
  /** What becomes of others: refuse, or pass without reading a header (refuse). */
  others: v.optional(v.picklist(['refuse', 'pass']), 'refuse'),
  /** A trusted source may also come without a header (false). */
  optional: v.optional(v.boolean(), false),
  /** Longest header; 107 bytes are the most that version 1 takes (4096). */
  maxHeaderBytes: v.optional(integer(107, 65_551), 4096),
  /** From the accept to the end of the header (3000). */
  timeoutMs: v.optional(integer(1, 2_147_483_647), 3000),
});
export type ProxyProtocolConfig = v.InferOutput<typeof config>;

/**
 * Reads the PROXY header, version 1 or 2, that a load balancer puts in front of a connection: everything behind sees
 * the client's own address. Only trusted sources are believed.
 *
 * @example
 * networkFilters: [{ name: proxy-protocol, config: { trusted: [10.0.0.0/8] } }]
 */
export const proxyProtocol: NetworkFilterDefinition<ProxyProtocolConfig> = {
  name: 'proxy-protocol',
  layer: 'network',
  config,
  isSecurity: true,
  create: (own, context) => new ProxyProtocolFilter(own, context),
};

class ProxyProtocolFilter implements NetworkFilter {
  readonly replacesPeer = true;
  readonly maxFirstBytes: number;
  readonly firstBytesTimeoutMs: number;
  readonly #config: ProxyProtocolConfig;
  readonly #trusted: IpBlocks;
  readonly #count: (what: 'read' | 'local' | 'absent' | 'invalid' | 'untrusted') => void;

  constructor(own: ProxyProtocolConfig, context: NetworkFilterContext) {
    this.#config = own;
    this.maxFirstBytes = own.maxHeaderBytes;
    this.firstBytesTimeoutMs = own.timeoutMs;
    this.#trusted = new IpBlocks(own.trusted.filter((each) => each !== 'unix'));
    this.#count = networkCounters(context, 'proxy_protocol', [
      'read',
      'local',
      'absent',
      'invalid',
      'untrusted',
    ]);
  }

  admit(connection: ArrivingConnection): Admission {
    if (!this.#isTrusted(connection.peer.address)) {
      this.#count('untrusted');
      return this.#config.others === 'pass' ? Admission.pass : Admission.close;
    }
    const reading = parseProxyHeader(connection.buf, connection.start, connection.end);
    if (typeof reading === 'object') return this.#apply(reading, connection);
    if (reading === 'more' && !connection.isFinal) return Admission.more;
    if (reading !== 'invalid' && this.#config.optional && isAbsent(connection, reading)) {
      this.#count('absent');
      return Admission.pass;
    }
    this.#count('invalid');
    return Admission.close;
  }

  #apply(header: ProxyHeader, connection: ArrivingConnection): Admission {
    if (header.sizeBytes > this.#config.maxHeaderBytes) {
      this.#count('invalid');
      return Admission.close;
    }
    connection.consume(header.sizeBytes);
    addProxyFacts(connection, header);
    const { source, destination } = header;
    if (source === null || destination === null) {
      this.#count('local');
      return Admission.pass;
    }
    this.#count('read');
    const { address, port } = source;
    const serverName = connection.facts?.get('proxy.authority') ?? null;
    connection.impersonate(
      {
        address,
        port,
        localPort: destination.port,
        spiffeId: null,
        certificateSha256: null,
        serverName,
      },
      address === 'unix' ? 'unix' : formatAddress(destination.address, destination.port),
    );
    return Admission.pass;
  }

  #isTrusted(address: string): boolean {
    if (address === 'unix') return this.#config.trusted.includes('unix');
    const bytes = parseIpAddress(address);
    return bytes !== null && this.#trusted.has(bytes);
  }
}

/** Not even the beginning of a header is there. */
function isAbsent({ start, end }: ArrivingConnection, reading: 'more' | 'none'): boolean {
  return reading === 'none' || start === end;
}
