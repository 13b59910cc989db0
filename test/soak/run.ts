/**
 * `npm run soak -- NAME...`: long loops that look for leaks and hangs, one folder each with a `run.ts`.
 * Without a name all of them run; what needs a program that is not installed says so.
 */
import { existsSync, readdirSync } from 'node:fs';

const here = new URL('./', import.meta.url);
const known = readdirSync(here).filter((name) => existsSync(new URL(`./${name}/run.ts`, here)));
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`no such loop: ${unknown.join(', ')}; there are ${known.join(', ')}`);
  process.exit(2);
}
for (const name of asked.length > 0 ? asked : known) {
  try {
    const { run } = (await import(new URL(`./${name}/run.ts`, here).href)) as { run(): Promise<void> };
    await run();
  } catch (thrown) {
    console.error(`${name}:`, thrown);
    process.exitCode = 1;
  }
}
