import { readFileSync } from 'node:fs';
import test from 'ava';
import { decodePprof } from '../../src/diagnostics/pprof/index.ts';
import { summarise } from '../../src/diagnostics/verdict/summary.ts';
import { filesOf, pagesOf, runProgram } from './program.ts';

/** V8 inlines `rememberRow` into `fillShelf` within milliseconds, and there is no callback that would tell. */
const leak = `
  const shelf = [];
  let next = 0;
  function rememberRow(id) { shelf.push({ id, at: id + 1, tags: [id, id + 1], note: 'n' + id }); }
  function fillShelf() { for (let row = 0; row < 150; row++) rememberRow(next++); }`;

test('a leak is charged to the function that allocates, not to the caller that V8 has inlined it into', async (t) => {
  const run = await runProgram(
    `${leak}
    const { readdirSync } = await import('node:fs');
    setTimeout(() => setInterval(fillShelf, 4), 500);
    const hasPage = () => readdirSync(process.env.HEDDLE_PROFILES).some((name) => name.endsWith('.verdict.json'));
    setInterval(() => { if (hasPage()) process.exit(); }, 100);
    setTimeout(() => process.exit(), 30_000);`,
    { rules: { 'heap-growth': { windowMs: 3000 } } },
  );
  const page = pagesOf(run).find(({ trigger }) => trigger.rule === 'heap-growth');
  t.is(page?.verdict.cause.name, 'heap-leak');
  t.is(page?.verdict.cause.guilty?.name, 'rememberRow');
});

test('a profile of allocations shows functions that were inlined before', async (t) => {
  const run = await runProgram(`${leak}
    const { createMonitor } = await import(${JSON.stringify(new URL('../../src/diagnostics/index.ts', import.meta.url).href)});
    const monitor = await createMonitor({ rules: [], recorder: false });
    setInterval(() => { for (let round = 0; round < 60; round++) fillShelf(); shelf.length = 0; }, 2);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await monitor.capture({ kinds: ['allocations'], durationMs: 500 });
    process.exit();`);
  const [path] = filesOf(run, '.pb.gz').filter((name) => name.includes('-allocations-'));
  const profile = decodePprof(new Uint8Array(readFileSync(path ?? '')));
  const { functions } = summarise(profile, { threadId: 0, window: 'during' });
  t.is(functions[0]?.name, 'rememberRow', JSON.stringify(functions));
});
