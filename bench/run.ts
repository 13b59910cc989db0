/** `npm run bench -- SUITE [--json] [--strict] [--rounds N] [--seconds N] [--only NAMES] [--update]` */
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Children } from './harness/children.ts';
import { chooseCores, describeMachine } from './harness/machine.ts';
import { exitCodeOf, formatReport, makeReport } from './harness/report.ts';
import { type Suite, type SuiteResult, Unavailable } from './harness/suite.ts';
import { compileTools } from './harness/tools.ts';

const suites = fileURLToPath(new URL('./suites/', import.meta.url));
/** Set to keep the run's directory: configurations and output of every contender. */
const { HEDDLE_BENCH_KEEP: keepDirectory } = process.env;
const usage =
  'usage: npm run bench -- SUITE [--json] [--strict] [--rounds N] [--seconds N] [--only NAMES] [--update]';

interface Options {
  readonly json?: boolean;
  readonly strict?: boolean;
  readonly update?: boolean;
  readonly only?: string;
  readonly rounds?: string;
  readonly seconds?: string;
}

const suiteNames = (): string[] =>
  globSync('**/*.ts', { cwd: suites })
    .map((file) => file.replace(/\.ts$/, '').replaceAll('/', ' '))
    .toSorted();

async function loadSuite(name: string): Promise<Suite> {
  const module: { suite: Suite } = await import(join(suites, `${name.replaceAll(' ', '/')}.ts`));
  return module.suite;
}

async function printUsage(): Promise<void> {
  const names = suiteNames();
  const width = Math.max(...names.map((name) => name.length));
  process.stderr.write(`${usage}\n\n`);
  for (const name of names) {
    process.stderr.write(`  ${name.padEnd(width)}  ${(await loadSuite(name)).about}\n`);
  }
}

/** What is wrong with the numbers of the command line, if anything. */
function problemOf(options: Options): string | null {
  for (const name of ['rounds', 'seconds'] as const) {
    const text = options[name];
    if (text !== undefined && !(Number(text) > 0 && Number.isFinite(Number(text)))) {
      return `--${name} must be a number above 0, not "${text}"`;
    }
  }
  return null;
}

async function runSuite(name: string, suite: Suite, options: Options): Promise<0 | 1> {
  const directory = mkdtempSync(join(tmpdir(), 'heddle-bench-'));
  const versions: Record<string, string> = { node: process.versions.node };
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  const machine = describeMachine();
  let result: SuiteResult | null = null;
  let reason = '';
  try {
    const tools = await compileTools();
    await using children = new Children(tools.launch);
    using _signals = stopOnSignals(children, directory);
    result = await suite.run({
      rounds: Math.ceil(Number(options.rounds ?? suite.rounds)),
      seconds: Number(options.seconds ?? suite.seconds),
      only: options.only?.split(',').map((each) => each.trim()) ?? null,
      update: options.update ?? false,
      cores: chooseCores(),
      children,
      directory,
      progress,
      version: (of, version) => {
        versions[of] = version;
      },
    });
  } catch (error) {
    reason = (error as Error).message;
    const isExpected = error instanceof Unavailable;
    progress(`${name}: ${isExpected ? reason : (error as Error).stack}`);
    if (!isExpected) result = { rows: [{ name, reason }], measures: [], failures: [reason] };
  } finally {
    if (keepDirectory === undefined) rmSync(directory, { recursive: true, force: true });
  }
  const report = makeReport({ name, machine, versions }, suite, result, reason);
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `\n${formatReport(report)}`);
  return exitCodeOf(report, options.strict ?? false);
}

/** Ctrl-C and SIGTERM end the children first, then the run, with the code that shells expect. */
function stopOnSignals(children: Children, directory: string): Disposable {
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  const handlers = Object.entries(codes).map(([signal, code]) => {
    const stop = async (): Promise<void> => {
      await children[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
      process.exit(code);
    };
    process.once(signal, stop);
    return { signal, stop };
  });
  return {
    [Symbol.dispose]: () => {
      for (const { signal, stop } of handlers) process.off(signal, stop);
    },
  };
}

function refuse(problem: string): number {
  process.stderr.write(`${problem}\n${usage}\n`);
  return 2;
}

/** The command line, or what is wrong with it. */
function readArguments() {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const options = { json: flag, strict: flag, update: flag, rounds: text, seconds: text, only: text };
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    return (error as Error).message;
  }
}

async function main(): Promise<number> {
  const given = readArguments();
  if (typeof given === 'string') return refuse(given);
  const { values, positionals } = given;
  const name = positionals.join(' ');
  if (!suiteNames().includes(name)) {
    if (name !== '') process.stderr.write(`There is no suite "${name}".\n\n`);
    await printUsage();
    return 2;
  }
  const problem = problemOf(values);
  if (problem !== null) return refuse(problem);
  return runSuite(name, await loadSuite(name), values);
}

process.exitCode = await main();
