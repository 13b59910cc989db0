/** The route table from 10 to 50,000 routes: a request's cost must not grow with the table. */
import type { RoutesResult } from '../cases/routes.ts';
import { runCase } from '../harness/case.ts';
import { rounded } from '../harness/stats.ts';
import type { Row, Suite } from '../harness/suite.ts';

const kinds = ['paths', 'hosts', 'headers', 'mixed'];
const counts = [10, 100, 1_000, 10_000, 50_000];

export const suite: Suite = {
  about: 'compiling and matching 10 to 50,000 routes',
  goals: [],
  rounds: 2,
  seconds: 1,
  async run(bench) {
    const rows: Row[] = [];
    for (const kind of kinds) {
      for (const count of counts) {
        const results: RoutesResult[] = [];
        for (let round = 0; round < bench.rounds; round += 1) {
          results.push(await runCase<RoutesResult>(bench, 'routes', [kind, String(count)]));
        }
        const least = (key: keyof RoutesResult): number | null =>
          rounded(Math.min(...results.map((result) => result[key])), 3);
        const row = {
          name: `${kind} ${count}`,
          matchNs: least('matchNs'),
          missNs: least('missNs'),
          compileMs: least('compileMs'),
          heapMiB: least('heapMiB'),
        };
        bench.progress(`${row.name}: ${row.matchNs} ns`);
        rows.push(row);
      }
    }
    return { rows, measures: [] };
  },
};
