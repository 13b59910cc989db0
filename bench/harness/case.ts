/** Runs measurements in fresh Node processes on the proxy's core: no other variant has trained the optimiser. */
import type { ChildProcess } from 'node:child_process';
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
  const { child, what } = start(bench, name, args);
  let last = '';
  if (child.stdout !== null) for await (const line of createInterface({ input: child.stdout })) last = line;
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  if (child.exitCode !== 0 || last === '') throw new Error(`${what} with ${child.exitCode}`);
  return JSON.parse(last) as Result;
}

/** A case that answers each line on its stdin with a line. */
export interface Conversation<Result> {
  ask(line: string): Promise<Result>;
  close(): Promise<void>;
}

/** Starts `bench/cases/NAME.ts` and keeps it: warm code, open connections. `ask` throws when it fails. */
export function converse<Result>(bench: Bench, name: string, args: readonly string[]): Conversation<Result> {
  const { child, what } = start(bench, name, args);
  if (child.stdout === null) throw new Error('a case was started without a pipe');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(line) {
      child.stdin?.write(`${line}\n`);
      const answer = await lines.next();
      if (answer.done === true) throw new Error(`${what} early`);
      return JSON.parse(answer.value) as Result;
    },
    close: () => bench.children.stop(child),
  };
}

function start(
  bench: Bench,
  name: string,
  args: readonly string[],
): { readonly child: ChildProcess; readonly what: string } {
  const log = join(bench.directory, `${name}.log`);
  const script = join(cases, `${name}.ts`);
  const child = bench.children.start({
    command: process.execPath,
    args: ['--expose-gc', script, ...args],
    core: bench.cores.proxy,
    pipe: true,
    log,
  });
  child.stdin?.on('error', () => {});
  return { child, what: `bench/cases/${name}.ts ${args.join(' ')} (see ${log}) ended` };
}
