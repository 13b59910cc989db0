/** How evenly service-list sharding spreads clients over servers, and what it moves when servers come and go. */

import { hashText, lowest, pointRing, rendezvousScores } from '../../src/sharding/index.ts';
import type { Bench, Row, Suite } from '../harness/suite.ts';
import { balanceOf, Fleet, grow, replace, type Scenario, serverOf, shrink } from '../sharding/simulate.ts';

const half = { fraction: 0.5 };
const twenty = { count: 20 };
const main = { clients: 6000, servers: 300, size: half };

/** The rows whose worst figure is the goal. */
const judged: readonly [name: string, scenario: Scenario][] = [
  ['rendezvous', { ...main, scheme: 'rendezvous' }],
  ['rendezvous, weights 1 to 4', { ...main, scheme: 'rendezvous', isWeighted: true }],
  ['rendezvous, three zones', { ...main, scheme: 'rendezvous', zones: 3 }],
];

const others: readonly [name: string, scenario: Scenario][] = [
  ['ring, 1 point (MOSN)', { ...main, scheme: 'ring' }],
  ['ring, 160 points', { ...main, scheme: 'ring', ringPoints: 160 }],
  ['slots', { ...main, scheme: 'slots' }],
  ['rendezvous', { clients: 6000, servers: 300, size: twenty, scheme: 'rendezvous' }],
  ['ring, 1 point (MOSN)', { clients: 6000, servers: 300, size: twenty, scheme: 'ring' }],
  ['slots', { clients: 6000, servers: 300, size: twenty, scheme: 'slots' }],
  ['rendezvous', { clients: 1000, servers: 1000, size: twenty, scheme: 'rendezvous' }],
  ['ring, 1 point (MOSN)', { clients: 1000, servers: 1000, size: twenty, scheme: 'ring' }],
  ['slots', { clients: 1000, servers: 1000, size: twenty, scheme: 'slots' }],
  // Its table is built by each client anew, so that the sample is small.
  ['maglev', { clients: 200, servers: 300, size: half, scheme: 'maglev' }],
  ['rendezvous', { clients: 200, servers: 300, size: half, scheme: 'rendezvous' }],
];

export const suite: Suite = {
  about: 'imbalance and churn of service-list sharding, 1,000 to 60,000 clients',
  goals: ['sharding.rendezvousCv', 'sharding.movedOnAdd'],
  rounds: 1,
  seconds: 1,
  async run(bench) {
    const good = judged.map(([name, scenario]) => rowOf(bench, name, scenario));
    const rest = others.map(([name, scenario]) => rowOf(bench, name, scenario));
    return {
      rows: [...good, ...rest, ...manyClients(bench)],
      measures: [
        { id: 'sharding.rendezvousCv', value: Math.max(...good.map((row) => row.cvPercent / 100)) },
        { id: 'sharding.movedOnAdd', value: Math.max(...good.map((row) => row.addedToIdeal)) },
      ],
    };
  },
};

interface ShardRow extends Row {
  readonly cvPercent: number;
  readonly addedToIdeal: number;
}

function rowOf(bench: Bench, name: string, scenario: Scenario): ShardRow {
  const { clients, servers, size } = scenario;
  const share = 'fraction' in size ? `${size.fraction * 100} %` : 'count' in size ? String(size.count) : '';
  bench.progress(`${name}: ${clients} clients x ${servers} servers x ${share}`);
  const balance = new Fleet(scenario).balance();
  const one = grow(new Fleet(scenario), scenario, 1);
  const tenth = grow(new Fleet(scenario), scenario, servers / 10);
  const less = shrink(new Fleet(scenario));
  const renewed = replace(new Fleet(scenario), scenario);
  return {
    name,
    clients,
    servers,
    share,
    cvPercent: round(balance.cv * 100),
    maxToMean: round(balance.maxToMean),
    minToMean: round(balance.minToMean),
    openedAddOnePercent: round(one.opened * 100),
    openedAddTenthPercent: round(tenth.opened * 100),
    addedToIdeal: round(tenth.opened / tenth.ideal),
    openedRemoveTenthPercent: round(less.opened * 100),
    idealRemoveTenthPercent: round(less.ideal * 100),
    openedReplaceTenthPercent: round(renewed.opened * 100),
    idealReplaceTenthPercent: round(renewed.ideal * 100),
  };
}

/** 60,000 clients: the selection alone, with hashes made once. */
function manyClients(bench: Bench): Row[] {
  const clients = 60_000;
  const rows: Row[] = [];
  for (const [servers, count] of [
    [300, 150],
    [1000, 20],
  ] as const) {
    bench.progress(`${clients} clients x ${servers} servers x ${count}`);
    const scenario: Scenario = { clients, servers, size: { count }, scheme: 'rendezvous' };
    const hashes = Uint32Array.from({ length: servers }, (_, i) => hashText(serverOf(scenario, i).address));
    const scores = new Float64Array(servers);
    const ring = pointRing(hashes, 1);
    const choose = {
      rendezvous: (client: number): Iterable<number> =>
        lowest(rendezvousScores(client, hashes, null, scores), count),
      'ring, 1 point (MOSN)': (client: number): Iterable<number> => ring.walk(client, count),
    };
    for (const [name, of] of Object.entries(choose)) {
      const loads = new Array<number>(servers).fill(0);
      for (let i = 0; i < clients; i++) {
        for (const server of of(hashText(`pod-${i}`))) loads[server] = (loads[server] as number) + 1;
      }
      const { cv, maxToMean, minToMean } = balanceOf(loads);
      const share = String(count);
      const figures = {
        cvPercent: round(cv * 100),
        maxToMean: round(maxToMean),
        minToMean: round(minToMean),
      };
      rows.push({ name, clients, servers, share, ...figures });
    }
  }
  return rows;
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
