import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { FuzzFailure, type FuzzTarget, fuzz } from './kit/fuzz.ts';

/**
 * npm run fuzz -- TARGET... [--count N] [--seed S]
 *
 * Without a target all run. Exit code 0: all inputs kept the promises, 1: one did not, 2: wrong use.
 */
const defaultCount = 1_000_000;
const batch = 10_000;
const here = new URL('./', import.meta.url);
const known = readdirSync(here)
  .filter((file) => /^[a-z0-9-]+\.ts$/.test(file) && file !== 'run.ts')
  .map((file) => file.slice(0, -'.ts'.length));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string' }, seed: { type: 'string' } },
});

function numberOf(name: 'count' | 'seed', fallback: number): number {
  const text = values[name];
  const value = text === undefined ? fallback : Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  return misuse(`--${name} ${text} is not a whole number`);
}

function misuse(problem: string): never {
  process.stderr.write(`${problem}\nusage: npm run fuzz -- [${known.join('|')}]... [--count N] [--seed S]\n`);
  process.exit(2);
}

const count = numberOf('count', defaultCount);
const seed = numberOf('seed', Date.now() >>> 0);
const names = positionals.length === 0 ? known : positionals;
for (const name of names) if (!known.includes(name)) misuse(`there is no target ${JSON.stringify(name)}`);

for (const name of names) {
  const { target, compare } = (await import(new URL(`${name}.ts`, here).href)) as {
    target: FuzzTarget;
    /** Beside another implementation, where there is one. */
    compare?: (count: number, seed: number) => Promise<string>;
  };
  const startMs = performance.now();
  try {
    for (let done = 0; done < count; done += batch) {
      fuzz(target, Math.min(batch, count - done), seed + done);
      if (process.stderr.isTTY) process.stderr.write(`\r${name}: ${Math.min(done + batch, count)}`);
    }
  } catch (error) {
    if (!(error instanceof FuzzFailure)) throw error;
    process.stderr.write(`\n${error.message}\n${(error.cause as Error | undefined)?.stack ?? ''}\n`);
    process.exit(1);
  }
  if (compare !== undefined) process.stdout.write(`${await compare(count, seed)}\n`);
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  process.stdout.write(
    `${process.stderr.isTTY ? '\r' : ''}${name}: ${count} inputs from seed ${seed}, ${seconds} s\n`,
  );
}
