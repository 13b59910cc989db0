/** Runs one measurement in a fresh Node process on the proxy's core: no other variant has trained the optimiser. */
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Bench } from './suite.ts';

const cases = fileURLToPath(new URL('../cases/', import.meta.url));

/**
 * Runs `bench/cases/NAME.ts` with these arguments. @returns the object that it printed as its last line
 * @throws Error when it fails; its output stands in the run's directory
 */
export async function runCase<Result>(bench: Bench, name: string, args: readonly string[]): Promise<Result> {
  const log = join(bench.directory, `${name}.log`);
  const child = bench.children.start({
    command: process.execPath,
    args: ['--expose-gc', join(cases, `${name}.ts`), ...args],
    core: bench.cores.proxy,
    pipe: true,
    log,
  });
  let last = '';
  if (child.stdout !== null) for await (const line of createInterface({ input: child.stdout })) last = line;
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  if (child.exitCode !== 0 || last === '') {
    throw new Error(`bench/cases/${name}.ts ${args.join(' ')} ended with ${child.exitCode}; see ${log}`);
  }
  return JSON.parse(last) as Result;
}
