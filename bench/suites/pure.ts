/** What JavaScript alone costs, on fake sockets: the regression gate. Each figure is the best of several processes. */
import type { PureResult } from '../cases/pure.ts';
import { readBaseline, regressions, slowdown, writeBaseline } from '../harness/baseline.ts';
import { runCase } from '../harness/case.ts';
import { describeMachine } from '../harness/machine.ts';
import { median, rounded } from '../harness/stats.ts';
import type { Bench, Row, Suite } from '../harness/suite.ts';

const variants = ['proxy-bare', 'proxy-full', 'direct', 'call-bare', 'call-full'];

/** Figures of one variant, process by process. */
interface Line {
  readonly name: string;
  readonly results: PureResult[];
}

export const suite: Suite = {
  about: 'nanoseconds of JavaScript per request, on fake sockets: the regression gate',
  goals: ['pure.proxyFullNs'],
  rounds: 5,
  seconds: 2,
  async run(bench) {
    const calibration: Line = { name: 'calibration', results: [] };
    const lines: Line[] = variants.map((name) => ({ name, results: [] }));
    for (let round = 0; round < bench.rounds; round += 1) {
      calibration.results.push(await runCase<PureResult>(bench, 'calibrate', []));
      for (const line of lines) await measure(bench, line);
    }
    const calibrationNs = leastNs(calibration);
    const minNs = Object.fromEntries(lines.map((line) => [line.name, leastNs(line)]));
    const baseline = readBaseline();
    const row = (line: Line): Row => ({
      name: line.name,
      minNs: rounded(leastNs(line)),
      ns: rounded(median(line.results.map((result) => result.ns))),
      vsCommitted: rounded(slowdown(baseline, line.name, leastNs(line), calibrationNs), 3),
      processes: line.results.map((result) => rounded(result.minNs, 3)),
    });
    if (bench.update) writeBaseline({ calibrationNs, machine: describeMachine().cpu, minNs });
    return {
      rows: [calibration, ...lines].map(row),
      measures: [{ id: 'pure.proxyFullNs', value: rounded(minNs['proxy-full'] ?? null) }],
      failures: bench.update ? [] : regressions(baseline, minNs, calibrationNs),
    };
  },
};

async function measure(bench: Bench, line: Line): Promise<void> {
  const result = await runCase<PureResult>(bench, 'pure', [line.name, String(bench.seconds)]);
  bench.progress(`${line.name}: ${result.minNs.toFixed(0)} ns, usually ${result.ns.toFixed(0)}`);
  line.results.push(result);
}

const leastNs = (line: Line): number => Math.min(...line.results.map((result) => result.minNs));
