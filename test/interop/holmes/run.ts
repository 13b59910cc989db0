import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { buildDriver } from './build.ts';
import { decide, makeTrace, type TickDecision } from './traces.ts';

const traceCount = 1000;

/** holmes itself and our compatible rules decide on the same 1,000 generated traces. */
export async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'heddle-holmes-'));
  try {
    const { program, restsGoroutines } = buildDriver(directory);
    const traces = Array.from({ length: traceCount }, (_, seed) => makeTrace(seed + 1, restsGoroutines));
    const input = traces.map((trace) => `${JSON.stringify(trace)}\n`).join('');
    const { stdout, status, stderr } = spawnSync(program, { input, encoding: 'utf8', maxBuffer: 1 << 28 });
    if (status !== 0) throw new Error(`the driver ended with ${status}: ${stderr}`);
    const theirs = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as TickDecision[]);
    report(traces.map(decide), theirs, restsGoroutines);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function report(
  ours: readonly TickDecision[][],
  theirs: readonly TickDecision[][],
  restsGoroutines: boolean,
): void {
  const differing = ours.flatMap((ticks, index) => {
    const tick = ticks.findIndex((decision, at) => !isDeepStrictEqual(decision, theirs[index]?.[at]));
    return tick < 0 ? [] : [{ trace: index + 1, tick, ours: ticks[tick], theirs: theirs[index]?.[tick] }];
  });
  const ticks = theirs.flat();
  const dumps = ticks.reduce((sum, tick) => sum + tick.dumped.length, 0);
  const rests = restsGoroutines ? 'with' : 'without';
  console.log(
    `holmes: ${theirs.length} traces, ${ticks.length} ticks, ${dumps} dumps (${rests} the goroutine rest); ${differing.length} traces differ`,
  );
  if (theirs.length !== ours.length || differing.length > 0) {
    throw new Error(`decisions differ, first: ${JSON.stringify(differing[0])}`);
  }
}
