/** How evenly service-list sharding spreads clients over servers, and what it moves when servers come and go. */

import type { Bench, Row, Suite } from '../harness/suite.ts';
import { schemes, selectionOf } from '../sharding/selection.ts';
import { Fleet, grow, replace, type Scenario, shrink } from '../sharding/simulate.ts';

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
  ['rendezvous', { clients: 1000, servers: 1000, size: twenty, scheme: 'rendezvous' }],
  [
    'rendezvous, weights 1 to 4',
    { clients: 1000, servers: 1000, size: twenty, scheme: 'rendezvous', isWeighted: true },
  ],
  ['rendezvous, three zones', { clients: 1000, servers: 1000, size: twenty, scheme: 'rendezvous', zones: 3 }],
  ['ring, 160 points, three zones', { ...main, scheme: 'ring', ringPoints: 160, zones: 3 }],
  ['slots, three zones', { ...main, scheme: 'slots', zones: 3 }],
  // Its table is built by each client anew, so that the sample is small.
  ['maglev', { clients: 200, servers: 300, size: half, scheme: 'maglev' }],
  ['maglev, weights 1 to 4', { clients: 200, servers: 300, size: half, scheme: 'maglev', isWeighted: true }],
  ['rendezvous', { clients: 200, servers: 300, size: half, scheme: 'rendezvous' }],
];

/** Clients, servers, servers of a client. */
const sizes: readonly (readonly [number, number, number])[] = [
  [1000, 1000, 20],
  [6000, 300, 20],
  [6000, 300, 150],
  [60_000, 300, 150],
  [60_000, 1000, 20],
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
      rows: [...good, ...rest, ...everyScheme(bench)],
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

/** Every scheme at every size: the selection alone, with hashes made once. */
function everyScheme(bench: Bench): Row[] {
  return sizes.flatMap(([clients, servers, count]) =>
    schemes.map((name): Row => {
      bench.progress(`${name}: ${clients} clients x ${servers} servers x ${count}, selection alone`);
      const ids = Array.from({ length: servers }, (_, id) => id);
      const found = selectionOf(name, { clients, servers: ids, count });
      return {
        name: `${name}, selection alone`,
        clients,
        servers,
        share: String(count),
        cvPercent: round(found.cv * 100),
        maxToMean: round(found.maxToMean),
        minToMean: round(found.minToMean),
        openedAddTenthPercent: round(found.openedAddTenth * 100),
        openedRemoveTenthPercent: round(found.openedRemoveTenth * 100),
      };
    }),
  );
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
