import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Bench, Row, Suite, SuiteResult } from '../harness/suite.ts';
import { decideDay } from '../scenarios/day.ts';
import { healthyPrograms } from '../scenarios/healthy.ts';
import { leakScenarios } from '../scenarios/leaks.ts';
import { type Outcome, runProgram } from '../scenarios/run-program.ts';
import { type Scenario, Seeded } from '../scenarios/seeded.ts';
import { stallScenarios } from '../scenarios/stalls.ts';
import { makeTlsDirectory } from '../scenarios/tls-files.ts';
import { waitScenarios } from '../scenarios/waits.ts';

/** Programs that run at once: a stall takes a core, and a program without one cannot be judged by the clock. */
const atOnce = Math.max(1, availableParallelism());
const scenarios = [...stallScenarios, ...leakScenarios, ...waitScenarios];

interface Judged {
  readonly row: Row;
  readonly isFound: boolean;
}

async function runScenario(
  bench: Bench,
  scenario: Scenario,
  seed: number,
  tls: string | undefined,
): Promise<Judged> {
  const name = `${scenario.name} #${seed}`;
  const { source, guilty } = scenario.program(new Seeded(seedOf(scenario, seed)));
  const directory = join(bench.directory, name.replaceAll(/\W+/g, '-'));
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'app.mjs'), source);
  const outcomes = await runProgram({
    children: bench.children,
    directory,
    nodeFlags: scenario.nodeFlags ?? [],
    tlsDirectory: tls,
    untilMs: scenario.limitMs + 3000,
    isEnough: (outcome) => isRight(scenario, guilty, outcome),
  });
  const right = outcomes.find((outcome) => isRight(scenario, guilty, outcome));
  const shown = right ?? outcomes[0];
  const row: Row = {
    name,
    detectedMs: shown?.triggeredMs ?? null,
    writtenMs: shown?.writtenMs ?? null,
    rule: shown?.rule ?? null,
    topFrame: shown?.topFrame ?? null,
    verdict: shown?.cause ?? null,
    valid: shown?.isValid ?? false,
    found: right !== undefined,
    ...(right === undefined && {
      reason: `expected ${guilty.join(' or ')}, ${scenario.causes.join(' or ')}`,
    }),
  };
  bench.progress(
    `${name}: ${right ? `${shown?.writtenMs} ms` : 'missed'} ${shown?.topFrame ?? ''} ${shown?.cause ?? ''}`,
  );
  return { row, isFound: right !== undefined };
}

/** Each program has names, sizes and times of its own. */
const seedOf = ({ name }: Scenario, seed: number): number =>
  [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1e9, seed * 7919);

const isRight = (scenario: Scenario, guilty: readonly string[], outcome: Outcome): boolean =>
  outcome.writtenMs >= 0 &&
  outcome.writtenMs <= scenario.limitMs &&
  outcome.isValid &&
  guilty.includes(outcome.topFrame) &&
  scenario.causes.includes(outcome.cause);

/** All healthy programs side by side; every capture is a false one. */
async function runHealthy(bench: Bench): Promise<Row[]> {
  const runs = healthyPrograms.map(async ({ name, source }, index) => {
    const directory = join(bench.directory, `healthy-${index}`);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'app.mjs'), source(new Seeded(100 + index)));
    const outcomes = await runProgram({
      children: bench.children,
      directory,
      nodeFlags: [],
      tlsDirectory: undefined,
      untilMs: bench.seconds * 1000,
      isEnough: () => false,
    });
    bench.progress(
      `healthy, ${name}: ${outcomes.length} captures ${outcomes.map((one) => one.rule).join(' ')}`,
    );
    return {
      name: `healthy, ${name}`,
      captures: outcomes.length,
      rules: outcomes.map((one) => one.rule).join(' '),
    };
  });
  return Promise.all(runs);
}

async function inTurns<Item, Result>(
  items: readonly Item[],
  run: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await run(items[index] as Item);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}

async function run(bench: Bench): Promise<SuiteResult> {
  const tls = makeTlsDirectory(bench.directory);
  const seeds = Array.from({ length: bench.rounds }, (_, index) => index + 1);
  // The longest of each seed first would still end together: turns keep every lane busy.
  const wanted = scenarios.filter(({ name }) => bench.only === null || bench.only.includes(name));
  const cases = seeds.flatMap((seed) => wanted.map((scenario) => ({ scenario, seed })));
  const judged = await inTurns(cases, ({ scenario, seed }) => runScenario(bench, scenario, seed, tls));
  const healthy = bench.only === null || bench.only.includes('healthy') ? await runHealthy(bench) : [];
  const day = seeds.map((seed) => ({
    name: `24 simulated hours #${seed}`,
    captures: decideDay(seed).length,
  }));
  const falseCaptures = [...healthy, ...day].reduce((sum, row) => sum + Number(row['captures']), 0);
  return {
    rows: [...judged.map(({ row }) => row), ...healthy, ...day],
    measures: [
      { id: 'detect.found', value: judged.filter(({ isFound }) => isFound).length / judged.length },
      { id: 'detect.falseCaptures', value: falseCaptures },
    ],
  };
}

export const suite: Suite = {
  about:
    'failing programs: is each captured in time, with the right function and cause; healthy ones: is nothing captured',
  goals: ['detect.found', 'detect.falseCaptures'],
  rounds: 5,
  seconds: 120,
  run,
};
