import { hashText, pairHash, unit } from './hash.ts';
import { ringPoint } from './hash-ring.ts';
import { maglevTable } from './maglev.ts';
import { circleDistance, clientPosition, vanDerCorput } from './slots.ts';

/** One server of a list that is to be shared out among clients. */
export interface ShardServer {
  /** The key; unique within a list. */
  readonly address: string;
  /** 0 gets nothing; only `rendezvous` and `maglev` heed the rest. */
  readonly weight: number;
  readonly zone: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export type SchemeName = 'rendezvous' | 'ring' | 'maglev' | 'slots';

/** The servers of a list, as far as a scheme wants to know them. */
export interface ServerSource {
  /** How many servers have each weight. */
  readonly weights: ReadonlyMap<number, number>;
  /** All of them: a look at each. */
  servers(): readonly ShardServer[];
}

/** Orders servers for one client: the lower the score, the earlier. */
export interface Scheme {
  /**
   * Told the whole list and how many of it the client will take, before scores are asked for.
   * @returns whether scores given earlier no longer hold
   */
  prepare(list: ServerSource, count: number): boolean;
  score(server: ShardServer): number;
}

export interface SchemeOptions {
  /** Stable and different for each client: a pod name or an address. */
  readonly clientKey: string;
  /** Number of the client, for `slots`; without it the hash of the key stands in, at the price of the perfect balance. */
  readonly clientIndex?: number | undefined;
  /** Points of a server on the ring (1, as MOSN's published scheme; 160 is usual elsewhere). */
  readonly ringPoints?: number | undefined;
  /** Metadata key that holds a server's slot number, for `slots` ("slot"). */
  readonly slotKey?: string | undefined;
}

export function createScheme(name: SchemeName, options: SchemeOptions): Scheme {
  const client = hashText(options.clientKey);
  switch (name) {
    case 'rendezvous':
      return new RendezvousScheme(client);
    case 'ring':
      return perServer((server) => ringScore(client, hashText(server.address), options.ringPoints ?? 1));
    case 'slots': {
      const position = options.clientIndex === undefined ? unit(client) : clientPosition(options.clientIndex);
      const key = options.slotKey ?? 'slot';
      return perServer((server) => circleDistance(position, slotPosition(server, key)));
    }
    case 'maglev':
      return new MaglevScheme(client);
  }
}

function perServer(score: (server: ShardServer) => number): Scheme {
  return { prepare: () => false, score };
}

/** Walking the ring meets servers in the order of their nearest point clockwise. */
function ringScore(client: number, serverHash: number, points: number): number {
  let nearest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < points; i++) nearest = Math.min(nearest, (ringPoint(serverHash, i) - client) >>> 0);
  return nearest;
}

/** A server without a slot number stands where its address hashes to. */
function slotPosition(server: ShardServer, key: string): number {
  const slot = Number(server.metadata[key] ?? Number.NaN);
  return Number.isInteger(slot) && slot >= 0 ? vanDerCorput(slot) : unit(hashText(server.address));
}

/** Steps of 2 % in which shares are told apart, so that one server more among hundreds changes no order. */
const shareStep = Math.log(1.02);

/**
 * Weighted rendezvous for N servers. The lowest -ln(u) / weight is right for one server only: taking the N lowest of many
 * gives heavy ones too little (at half of the list, 2.6 instead of 4 times a light one's share). Pareto sampling (Rosen,
 * 1997) orders by odds(u) / odds(share) with share = N * weight / sum and is exact to a per mille; with equal weights both
 * are the same order.
 */
class RendezvousScheme implements Scheme {
  readonly #client: number;
  /** Share of a server of weight 1; 0 while all weights are equal. */
  #share = 0;

  constructor(client: number) {
    this.#client = client;
  }

  prepare({ weights }: ServerSource, count: number): boolean {
    const share = shareOf(weights, count);
    if (share === this.#share) return false;
    this.#share = share;
    return true;
  }

  score(server: ShardServer): number {
    if (server.weight <= 0) return Number.POSITIVE_INFINITY;
    // 1 - u: the highest hash comes first, as in `rendezvousScores`.
    const u = 1 - unit(pairHash(this.#client, hashText(server.address)));
    const odds = u / (1 - u);
    if (this.#share === 0) return odds;
    const share = this.#share * server.weight;
    return share >= 1 ? odds * 1e-12 : (odds * (1 - share)) / share;
  }
}

/** How probable a server of weight 1 is to be among the `count`, in steps; 0 when all weights are equal. */
function shareOf(counts: ReadonlyMap<number, number>, count: number): number {
  if (counts.size <= 1) return 0;
  let left = count;
  let total = 0;
  for (const [weight, number] of counts) total += weight * number;
  // The heaviest are certain to be in where their share would exceed 1; the rest share what is left.
  for (const weight of [...counts.keys()].sort((a, b) => b - a)) {
    const number = counts.get(weight) as number;
    if (left <= 0 || (left / total) * weight < 1) break;
    left -= number;
    total -= weight * number;
  }
  if (left <= 0 || total <= 0) return 1;
  return Math.exp(Math.round(Math.log(left / total) / shareStep) * shareStep);
}

/** The order in which a walk through the table from the client's place on meets the servers. */
class MaglevScheme implements Scheme {
  readonly #client: number;
  #ranks = new Map<string, number>();

  constructor(client: number) {
    this.#client = client;
  }

  prepare(list: ServerSource): boolean {
    // The table depends on the order of its keys: all clients must use the same.
    const sorted = list
      .servers()
      .filter((server) => server.weight > 0)
      .sort((a, b) => (a.address < b.address ? -1 : 1));
    const table = maglevTable(
      sorted.map((server) => server.address),
      sorted.map((server) => server.weight),
    );
    const order = table.walk(this.#client, sorted.length);
    this.#ranks = new Map(order.map((index, rank) => [(sorted[index] as ShardServer).address, rank]));
    return true;
  }

  score(server: ShardServer): number {
    return this.#ranks.get(server.address) ?? Number.POSITIVE_INFINITY;
  }
}
