/** Which servers a client takes, by each scheme, without the bookkeeping of a mesh: for tens of thousands of clients. */
import {
  clientPosition,
  hashText,
  lowest,
  maglevTable,
  pointRing,
  rendezvousScores,
  vanDerCorput,
} from '../../src/sharding/index.ts';
import { type Balance, balanceOf } from './simulate.ts';

export const schemes = ['rendezvous', 'ring, 1 point (MOSN)', 'ring, 160 points', 'maglev', 'slots'] as const;
export type SchemeRow = (typeof schemes)[number];

/** Ids of the servers for one client. */
type Choose = (client: number) => Iterable<number>;

export interface Fleet {
  readonly clients: number;
  /** Ids; an id is the server's slot number and decides its address. */
  readonly servers: readonly number[];
  /** Servers a client takes. */
  readonly count: number;
}

const addressOf = (id: number): string => `10.64.${id >> 7}.${(id & 127) + 2}:8080`;
const clientHash = (client: number): number => hashText(`10.164.${client >> 7}.${(client & 127) + 2}`);

function chooserOf(scheme: SchemeRow, { servers, count }: Fleet): Choose {
  const hashes = Uint32Array.from(servers, (id) => hashText(addressOf(id)));
  const idsOf = (indices: Iterable<number>): number[] => Array.from(indices, (i) => servers[i] as number);
  switch (scheme) {
    case 'rendezvous': {
      const scores = new Float64Array(servers.length);
      return (client) => idsOf(lowest(rendezvousScores(clientHash(client), hashes, null, scores), count));
    }
    case 'ring, 1 point (MOSN)':
    case 'ring, 160 points': {
      const ring = pointRing(hashes, scheme === 'ring, 160 points' ? 160 : 1);
      return (client) => idsOf(ring.walk(clientHash(client), count));
    }
    case 'maglev': {
      const table = maglevTable(
        servers.map(addressOf),
        servers.map(() => 1),
      );
      return (client) => idsOf(table.walk(clientHash(client), count));
    }
    case 'slots': {
      const places = servers.map((id) => ({ id, at: vanDerCorput(id) })).sort((a, b) => a.at - b.at);
      return (client) => {
        const own = clientPosition(client);
        let [low, high] = [0, places.length];
        while (low < high) {
          const middle = (low + high) >>> 1;
          if ((places[middle]?.at as number) < own) low = middle + 1;
          else high = middle;
        }
        return Array.from({ length: count }, (_, i) => places[(low + i) % places.length]?.id as number);
      };
    }
  }
}

/** Imbalance of a fleet, and the share of connections opened anew when servers join or leave. */
export interface Selection extends Balance {
  readonly openedAddTenth: number;
  readonly openedRemoveTenth: number;
}

export function selectionOf(scheme: SchemeRow, fleet: Fleet): Selection {
  const now = chooserOf(scheme, fleet);
  const total = fleet.servers.length;
  const joined = Array.from({ length: total / 10 }, (_, i) => total + i);
  const grown = { ...fleet, servers: [...fleet.servers, ...joined], count: countIn(fleet, total * 1.1) };
  const left = fleet.servers.filter((id) => id % 10 !== 3);
  const shrunk = { ...fleet, servers: left, count: countIn(fleet, left.length) };
  const after = { grown: chooserOf(scheme, grown), shrunk: chooserOf(scheme, shrunk) };
  const loads = new Array<number>(total).fill(0);
  const opened = { grown: 0, shrunk: 0 };
  for (let client = 0; client < fleet.clients; client++) {
    const mine = new Set(now(client));
    for (const id of mine) loads[id] = (loads[id] as number) + 1;
    for (const id of after.grown(client)) if (!mine.has(id)) opened.grown++;
    for (const id of after.shrunk(client)) if (!mine.has(id)) opened.shrunk++;
  }
  return {
    ...balanceOf(loads),
    openedAddTenth: opened.grown / (fleet.clients * grown.count),
    openedRemoveTenth: opened.shrunk / (fleet.clients * shrunk.count),
  };
}

/** A half stays a half, a number stays that number. */
function countIn({ servers, count }: Fleet, total: number): number {
  return count * 2 === servers.length ? Math.ceil(total / 2 - 1e-9) : count;
}
