import { hashText, unit } from './hash.ts';
import { ringPoint } from './hash-ring.ts';
import { MaglevTable } from './maglev.ts';
import { rendezvousScore } from './rendezvous.ts';
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

/** Orders servers for one client: the lower the score, the earlier. */
export interface Scheme {
  /** Scores depend on the whole list, so each change means scoring all again. */
  readonly isGlobal: boolean;
  /** Given the list before `score`, if `isGlobal`. */
  prepare(servers: readonly ShardServer[]): void;
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
      return perServer((server) => rendezvousScore(client, hashText(server.address), server.weight));
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
  return { isGlobal: false, prepare: () => {}, score };
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

/** The order in which a walk through the table from the client's place on meets the servers. */
class MaglevScheme implements Scheme {
  readonly isGlobal = true;
  readonly #client: number;
  #ranks = new Map<string, number>();

  constructor(client: number) {
    this.#client = client;
  }

  prepare(servers: readonly ShardServer[]): void {
    // The table depends on the order of its keys: all clients must use the same.
    const sorted = servers
      .filter((server) => server.weight > 0)
      .sort((a, b) => (a.address < b.address ? -1 : 1));
    const table = new MaglevTable(
      sorted.map((server) => server.address),
      sorted.map((server) => server.weight),
    );
    const order = table.walk(this.#client, sorted.length);
    this.#ranks = new Map(order.map((index, rank) => [(sorted[index] as ShardServer).address, rank]));
  }

  score(server: ShardServer): number {
    return this.#ranks.get(server.address) ?? Number.POSITIVE_INFINITY;
  }
}
