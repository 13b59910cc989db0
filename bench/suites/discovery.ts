/** Service discovery at scale: what a change costs and how soon it is picked, levels against each other, sharding. */
import { costOf, type LevelCost } from '../discovery/volume.ts';
import { runCase } from '../harness/case.ts';
import { rounded } from '../harness/stats.ts';
import type { Bench, Row, Suite, SuiteResult } from '../harness/suite.ts';

interface Update {
  readonly medianMs: number;
  readonly p99Ms: number;
  /** With half of the list. */
  readonly shardedMedianMs: number;
  readonly changeCpuUs: number;
  readonly rebuildCpuMs: number;
  readonly changeBytes: number;
  readonly rebuildBytes: number;
}

interface Change {
  readonly changes: number;
  readonly seen: number;
  readonly missing: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuPercent: number;
}

interface Storm {
  readonly calmP99Ms: number;
  readonly stormP99Ms: number;
  readonly ratio: number;
  readonly changes: number;
  readonly failures: number;
}

interface Sharding {
  readonly hosts: number;
  readonly connections: number;
  readonly rssMiB: number;
  readonly openCpuMs: number;
  readonly trafficCpuPercent: number;
  readonly restCpuPercent: number;
  readonly failures: number;
}

export const suite: Suite = {
  about: 'service discovery: a change among 50,000 hosts, its way to the first pick, levels, sharded lists',
  goals: [
    'discovery.hostUpdateMs',
    'discovery.updateMemoryShare',
    'discovery.updateCpuShare',
    'discovery.changeToPickP99Ms',
    'discovery.stormP99',
    'discovery.appLevelVolume',
    'discovery.subscriptions',
  ],
  /** Pairs of turns of calm and storm, two a round. */
  rounds: 5,
  /** Of traffic and rest with sharded lists; a turn takes 0.4 of it, changes are watched for three times as long. */
  seconds: 5,
  async run(bench) {
    const parts: SuiteResult[] = [];
    for (const part of [updates, changes, storms, levels, sharding]) parts.push(await part(bench));
    return {
      rows: parts.flatMap(({ rows }) => rows),
      measures: parts.flatMap(({ measures }) => measures),
      failures: parts.flatMap(({ failures = [] }) => failures),
    };
  },
};

async function updates(bench: Bench): Promise<SuiteResult> {
  bench.progress('one change among 50,000 hosts');
  const update = await runCase<Update>(bench, 'discovery-update', []);
  return {
    rows: [{ name: 'a change among 50,000 hosts with 618 subsets, to the next pick', ...update }],
    measures: [
      { id: 'discovery.hostUpdateMs', value: update.medianMs },
      { id: 'discovery.updateMemoryShare', value: rounded(update.changeBytes / update.rebuildBytes, 3) },
      {
        id: 'discovery.updateCpuShare',
        value: rounded(update.changeCpuUs / 1000 / update.rebuildCpuMs, 3),
      },
    ],
  };
}

async function changes(bench: Bench): Promise<SuiteResult> {
  bench.progress('100 changes a second, from the write to the pick');
  const change = await runCase<Change>(bench, 'discovery-change', [String(bench.seconds * 3)]);
  bench.progress('the same with a real ZooKeeper');
  const real = await runCase<Partial<Change>>(bench, 'discovery-zookeeper', [String(bench.seconds * 2)]);
  const zookeeper: Row = { name: 'the same with a real ZooKeeper and 1,000 instances', ...real };
  const missing = change.missing + (real.missing ?? 0);
  return {
    rows: [{ name: 'from the write to the first pick, 100 changes a second', ...change }, zookeeper],
    measures: [{ id: 'discovery.changeToPickP99Ms', value: Math.max(change.p99Ms, real.p99Ms ?? 0) }],
    failures: missing === 0 ? [] : [`${missing} new hosts were never seen`],
  };
}

async function storms(bench: Bench): Promise<SuiteResult> {
  bench.progress('traffic in calm and storm');
  // Many short turns: what else the machine does spoils some of them, not the middle one.
  const turns = [String(bench.rounds * 2), String(bench.seconds * 0.4)];
  const storm = await runCase<Storm>(bench, 'discovery-storm', turns);
  return {
    rows: [{ name: 'traffic while 100 hosts a second change', ...storm }],
    measures: [{ id: 'discovery.stormP99', value: storm.ratio }],
    failures: storm.failures === 0 ? [] : [`${storm.failures} calls failed in the storm`],
  };
}

async function levels(bench: Bench): Promise<SuiteResult> {
  bench.progress('20 interfaces of 100 instances at both levels');
  const atInterfaces = await costOf('FORCE_INTERFACE');
  const atApplications = await costOf('FORCE_APPLICATION');
  const row = (name: string, { bytes, subscriptions }: LevelCost): Row => ({
    name: `20 interfaces x 100 instances, each restarted once: ${name} level`,
    bytes,
    subscriptions,
  });
  return {
    rows: [row('interface', atInterfaces), row('application', atApplications)],
    measures: [
      { id: 'discovery.appLevelVolume', value: rounded(atApplications.bytes / atInterfaces.bytes, 3) },
      {
        id: 'discovery.subscriptions',
        value: rounded(atApplications.subscriptions / atInterfaces.subscriptions, 3),
      },
    ],
  };
}

async function sharding(bench: Bench): Promise<SuiteResult> {
  const rows: Row[] = [];
  const failures: string[] = [];
  for (const share of [1, 0.5]) {
    bench.progress(`10,000 hosts, ${share * 100} % of them`);
    const result = await runCase<Sharding>(bench, 'discovery-sharding', [
      String(share),
      String(bench.seconds),
    ]);
    const { failures: failed, ...figures } = result;
    rows.push({ name: `10,000 hosts with a connection each, ${share * 100} % of the list`, ...figures });
    if (failed > 0) failures.push(`${failed} calls failed with ${share * 100} % of the list`);
    if (result.connections !== result.hosts)
      failures.push(`${result.connections} connections to ${result.hosts} hosts`);
  }
  return { rows, measures: [], failures };
}
