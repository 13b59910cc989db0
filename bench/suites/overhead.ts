/** A call of the own process: `mesh.request` beside `undici.request`, CPU of the calling process per call. */
import type { CallerResult } from '../cases/caller.ts';
import type { PureResult } from '../cases/pure.ts';
import { type Conversation, converse, runCase } from '../harness/case.ts';
import type { Measure } from '../harness/goals.ts';
import { startBackend } from '../harness/load.ts';
import { counted, median, pairedRatio, rounded, smallest } from '../harness/stats.ts';
import type { Bench, Row, Suite } from '../harness/suite.ts';
import { compileTools } from '../harness/tools.ts';

const reference = 'undici';
const variants = [reference, 'node-http', 'mesh-bare', 'mesh-full'];
const pureVariants = ['direct', 'call-bare', 'call-full'];

/** One way of calling, round by round. */
interface Line {
  readonly name: string;
  readonly caller: Conversation<CallerResult>;
  readonly cpuUs: number[];
  readonly callsPerSecond: number[];
}

export const suite: Suite = {
  about: 'in-process calls beside undici.request, and what the mesh adds to pool and codec',
  goals: ['overhead.vsUndici', 'overhead.meshUs'],
  rounds: 5,
  seconds: 2,
  async run(bench) {
    const tools = await compileTools();
    const place = { tools, children: bench.children, core: bench.cores.load, directory: bench.directory };
    const backend = await startBackend(place);
    const lines = variants.map((name): Line => {
      const args = [name, String(backend.port), `${bench.directory}/${name}.access.log`];
      return { name, caller: converse(bench, 'caller', args), cpuUs: [], callsPerSecond: [] };
    });
    for (const line of lines) await line.caller.ask(String(Math.min(2, bench.seconds)));
    for (let round = 0; round < bench.rounds; round += 1) {
      for (const line of lines) await measure(bench, line);
    }
    for (const line of lines) await line.caller.close();
    const pure = await pureFigures(bench);
    return {
      rows: [...lines.map((line) => toRow(line, lines)), ...pure.rows],
      measures: [{ id: 'overhead.vsUndici', value: ratioOf('mesh-full', lines) }, pure.measure],
    };
  },
};

async function measure(bench: Bench, line: Line): Promise<void> {
  const { calls, cpuUs, seconds } = await line.caller.ask(String(bench.seconds));
  line.cpuUs.push(cpuUs / calls);
  line.callsPerSecond.push(calls / seconds);
  bench.progress(`${line.name}: ${(cpuUs / calls).toFixed(2)} us a call`);
}

function ratioOf(name: string, lines: readonly Line[]): number | null {
  const find = (wanted: string): number[] => lines.find((line) => line.name === wanted)?.cpuUs ?? [];
  return rounded(pairedRatio(find(name), find(reference)));
}

function toRow(line: Line, lines: readonly Line[]): Row {
  return {
    name: line.name,
    cpuUs: rounded(median(line.cpuUs)),
    minUs: rounded(smallest(line.cpuUs)),
    ratio: rounded(ratioOf(line.name, lines), 3),
    callsPerSecond: rounded(median(line.callsPerSecond), 5),
    roundsUs: counted(line.cpuUs).map((value) => rounded(value, 3)),
  };
}

/** The difference of two socket runs would be noisier than what is looked for, so this part runs on fake sockets. */
async function pureFigures(bench: Bench): Promise<{ rows: Row[]; measure: Measure }> {
  const least = new Map<string, number>();
  for (let round = 0; round < Math.min(4, bench.rounds); round += 1) {
    for (const name of pureVariants) {
      const { minNs } = await runCase<PureResult>(bench, 'pure', [name, String(bench.seconds)]);
      bench.progress(`${name} on fake sockets: ${minNs.toFixed(0)} ns`);
      least.set(name, Math.min(minNs, least.get(name) ?? Number.POSITIVE_INFINITY));
    }
  }
  const us = (name: string): number => (least.get(name) ?? Number.NaN) / 1000;
  const rows = pureVariants.map((name) => ({ name: `${name}, fake sockets`, minUs: rounded(us(name)) }));
  return { rows, measure: { id: 'overhead.meshUs', value: rounded(us('call-full') - us('direct')) } };
}
