/**
 * `npm run interop -- NAME...`: checks against other people's programs, one file each in checks/. Without a name all of
 * them run; "discovery" runs all that begin with "discovery-". One whose program is missing says "skipped: ... is not installed" and counts as neither passed nor failed.
 * Programs that apt has: apt-get install curl wget nginx chromium wrk apache2-utils golang. Old and new Node lines:
 * npm ci in this folder. Exit code 1 when a check failed, 2 for a name that does not exist.
 */
import { readdirSync } from 'node:fs';
import { messageOf } from '../../src/core/base/errors.ts';
import { type Check, NotInstalled, Scope } from './kit/check.ts';

const folder = new URL('./checks/', import.meta.url);
const known = readdirSync(folder)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -3));
const given = process.argv.slice(2);
/** A family is asked for by its first word: "discovery" runs discovery-zookeeper, discovery-nacos and the others. */
const named = (name: string): string[] =>
  known.includes(name) ? [name] : known.filter((each) => each.startsWith(`${name}-`));
const unknown = given.filter((name) => named(name).length === 0);
const asked = given.flatMap(named);
if (unknown.length > 0) {
  console.error(`no such check: ${unknown.join(', ')}; there are ${known.join(', ')}`);
  process.exit(2);
}

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const name of asked.length > 0 ? asked : known) {
  const start = performance.now();
  try {
    const { check } = (await import(new URL(`${name}.ts`, folder).href)) as { check: Check };
    await using scope = new Scope();
    const detail = await check.run(scope);
    counts.passed++;
    console.log(
      `${name}: passed in ${((performance.now() - start) / 1000).toFixed(1)} s: ${check.what}; ${detail}`,
    );
  } catch (thrown) {
    if (thrown instanceof NotInstalled) {
      counts.skipped++;
      console.log(`${name}: skipped: ${thrown.message}`);
    } else {
      counts.failed++;
      console.log(`${name}: failed: ${messageOf(thrown)}`);
      if (thrown instanceof Error) console.error(thrown.stack);
    }
  }
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
// Programs that a failed check left behind must not keep the runner alive.
process.exit(counts.failed > 0 ? 1 : 0);
