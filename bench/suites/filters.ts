/** What each of the ten filters costs on fake sockets: the whole chain less the chain without it. */
import type { PureResult } from '../cases/pure.ts';
import { runCase } from '../harness/case.ts';
import { rounded } from '../harness/stats.ts';
import type { Row, Suite } from '../harness/suite.ts';
import { filterNames } from '../peers/heddle-config.ts';

export const suite: Suite = {
  about: 'nanoseconds that each of the ten filters adds, on fake sockets',
  goals: [],
  rounds: 4,
  seconds: 1,
  async run(bench) {
    const names = [
      'proxy-bare',
      'proxy-full',
      'proxy-full-all',
      ...filterNames.map((name) => `proxy-full-${name}`),
    ];
    const least = new Map<string, number>();
    for (let round = 0; round < bench.rounds; round += 1) {
      for (const name of names) {
        const { minNs } = await runCase<PureResult>(bench, 'pure', [name, String(bench.seconds)]);
        bench.progress(`${name}: ${minNs.toFixed(0)} ns`);
        least.set(name, Math.min(minNs, least.get(name) ?? Number.POSITIVE_INFINITY));
      }
    }
    const ns = (name: string): number => least.get(name) ?? Number.NaN;
    const filter = (name: string): Row => ({
      name,
      addsNs: rounded(ns('proxy-full') - ns(`proxy-full-${name}`), 3),
    });
    const rows: Row[] = [
      { name: 'proxy, bare', minNs: rounded(ns('proxy-bare')) },
      { name: 'proxy, 200 hosts, no filter', minNs: rounded(ns('proxy-full-all')) },
      { name: 'proxy, 200 hosts, ten filters', minNs: rounded(ns('proxy-full')) },
      ...filterNames.map(filter),
    ];
    return { rows, measures: [] };
  },
};
