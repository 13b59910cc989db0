import { promises as dns } from 'node:dns';
import { isIP, isIPv4 } from 'node:net';
import { once } from '../core/base/once.ts';
import type { Resolver } from '../core/contract/registry.ts';

export interface ResolverOptions {
  /** "10.0.0.2", "10.0.0.2:5353", "[::1]:53"; empty: those of the system (empty). */
  readonly servers?: readonly string[];
  /** Of one try (2 s). */
  readonly timeoutMs?: number;
  /** Tries per server (2). */
  readonly tries?: number;
}

interface Answer {
  readonly addresses: string[];
  readonly ttlSeconds: number;
}

/** Where Node tells no TTL: SRV records and the hosts file. */
const assumedTtlSeconds = 30;
/** An address literal never changes. */
const literalTtlSeconds = 86_400;

/**
 * DNS with TTLs over node:dns. Address literals and localhost are answered without a query (RFC 6761 §6.3); a name
 * that the system's DNS does not know may still stand in the hosts file.
 */
export function createResolver(options: ResolverOptions = {}): Resolver {
  const servers = options.servers ?? [];
  const openResolver = once(() => {
    const resolver = new dns.Resolver({ timeout: options.timeoutMs ?? 2000, tries: options.tries ?? 2 });
    if (servers.length > 0) resolver.setServers(servers);
    return resolver;
  });
  return {
    resolve: async (name, family) => {
      const known = wellKnown(name, family);
      if (known !== null) return known;
      try {
        return await query(openResolver(), name, family);
      } catch (error) {
        if (servers.length > 0 || codeOf(error) !== 'ENOTFOUND') throw error;
        return await fromHostsFile(name, family, error);
      }
    },
    resolveSrv: async (name) => {
      const records = await openResolver().resolveSrv(name).catch(rethrow);
      return {
        records: records.map((each) => ({
          host: each.name,
          port: each.port,
          weight: each.weight,
          priority: each.priority,
        })),
        ttlSeconds: assumedTtlSeconds,
      };
    },
  };
}

function wellKnown(name: string, family: 'v4' | 'v6' | 'auto'): Answer | null {
  if (isIP(name) !== 0) return { addresses: [name], ttlSeconds: literalTtlSeconds };
  if (name !== 'localhost' && !name.endsWith('.localhost')) return null;
  const addresses = family === 'v4' ? ['127.0.0.1'] : family === 'v6' ? ['::1'] : ['127.0.0.1', '::1'];
  return { addresses, ttlSeconds: literalTtlSeconds };
}

/** One family may fail or be empty as long as the other answers. */
async function query(resolver: dns.Resolver, name: string, family: 'v4' | 'v6' | 'auto'): Promise<Answer> {
  const asked: Promise<{ address: string; ttl: number }[]>[] = [];
  if (family !== 'v6') asked.push(resolver.resolve4(name, { ttl: true }));
  if (family !== 'v4') asked.push(resolver.resolve6(name, { ttl: true }));
  const settled = await Promise.allSettled(asked);
  const records = settled.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
  if (records.length === 0) throw worst(settled);
  return {
    addresses: records.map((each) => each.address),
    ttlSeconds: Math.min(...records.map((each) => each.ttl)),
  };
}

/** "It does not exist" only when no server failed to say so. */
function worst(settled: readonly PromiseSettledResult<unknown>[]): Error {
  const errors = settled.flatMap((each) => (each.status === 'rejected' ? [normalized(each.reason)] : []));
  return errors.find((each) => codeOf(each) !== 'ENOTFOUND') ?? errors[0] ?? normalized(null);
}

async function fromHostsFile(name: string, family: 'v4' | 'v6' | 'auto', error: unknown): Promise<Answer> {
  const found = await dns.lookup(name, { all: true }).catch(() => []);
  const addresses = found
    .map((each) => each.address)
    .filter((each) => family === 'auto' || isIPv4(each) === (family === 'v4'));
  if (addresses.length === 0) throw error;
  return { addresses, ttlSeconds: assumedTtlSeconds };
}

function rethrow(error: unknown): never {
  throw normalized(error);
}

/** ENODATA (the name exists, not this record) reads as ENOTFOUND: nothing to connect to either way. */
function normalized(error: unknown): Error {
  const code = codeOf(error);
  const plain = code === 'ENODATA' || code === '' ? 'ENOTFOUND' : code === 'ECANCELLED' ? 'ETIMEOUT' : code;
  const text = error instanceof Error ? error.message : 'no answer';
  return Object.assign(new Error(text, { cause: error }), { code: plain });
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
