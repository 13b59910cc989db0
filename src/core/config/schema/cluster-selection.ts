import * as v from 'valibot';
import { fields } from './combine.ts';
import { count, integer, name } from './values.ts';

/** A metadata value per key. */
const facts = v.record(v.string(), v.string());
const keys = v.pipe(
  v.array(v.pipe(v.string(), v.minLength(1, 'a metadata key of at least 1 character'))),
  v.minLength(1, 'at least one metadata key'),
);
const weights = v.record(v.string(), count);

export const subsetSelector = fields({
  keys,
  fallback: v.optional(v.picklist(['noFallback', 'anyEndpoint', 'default', 'keysSubset'])),
  fallbackKeys: v.optional(keys),
});

export const subsets = fields({
  selectors: v.optional(v.array(subsetSelector), []),
  fallback: v.optional(v.picklist(['noFallback', 'anyEndpoint', 'default']), 'noFallback'),
  default: v.optional(facts),
});

export const locality = fields({
  mode: v.picklist(['weighted', 'zoneAware']),
  zone: v.optional(v.string()),
  weights: v.optional(weights),
  callers: v.optional(weights),
  minHosts: v.optional(count),
});

const share = v.pipe(v.number(), v.gtValue(0, 'above 0, at most 1'), v.maxValue(1, 'above 0, at most 1'));
const positive = integer(1, 4_294_967_295);

export const sharding = fields({
  scheme: v.optional(v.picklist(['rendezvous', 'ring', 'maglev', 'slots']), 'rendezvous'),
  fraction: v.optional(share),
  size: v.optional(positive),
  connectionsPerServer: v.optional(positive),
  clients: v.optional(positive),
  minSize: v.optional(count, 1),
  clientKey: v.optional(name),
  zone: v.optional(v.string()),
  spares: v.optional(count),
  clientIndex: v.optional(count),
  slotKey: v.optional(name),
  ringPoints: v.optional(integer(1, 1000)),
});
