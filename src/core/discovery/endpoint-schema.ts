import * as v from 'valibot';
import { parseAddress } from '../base/address.ts';
import type { Endpoint } from '../contract/cluster.ts';

/** "host:port", "[v6]:port" or "unix:/path"; a host cannot be dialled at port 0. */
const hostAddress = v.pipe(
  v.string(),
  v.check((text) => {
    const address = parseAddress(text);
    return address !== null && (address.kind === 'unix' || address.port > 0);
  }, '"host:port", "[ipv6]:port" or "unix:/path" with a port of 1 to 65535'),
);

const wholeNumber = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));

const endpointObject = v.strictObject({
  address: hostAddress,
  weight: v.optional(wholeNumber(1_000_000), 1),
  metadata: v.optional(v.record(v.string(), v.string()), {}),
  zone: v.optional(v.string(), ''),
  priority: v.optional(wholeNumber(127), 0),
  hostname: v.optional(v.string(), ''),
});

/** An address alone or with its facts. */
export const endpointSchema = v.pipe(
  v.union([hostAddress, endpointObject]),
  v.transform((given): Endpoint => (typeof given === 'string' ? plainEndpoint(given) : given)),
);

const noMetadata: Readonly<Record<string, string>> = Object.freeze({});

export function plainEndpoint(address: string, facts: Partial<Endpoint> = {}): Endpoint {
  return { address, weight: 1, metadata: noMetadata, zone: '', priority: 0, hostname: '', ...facts };
}
