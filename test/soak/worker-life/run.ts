/** Worker meshes started, used and stopped 200 times, killed every tenth: no thread, port, pipe, descriptor or memory stays. */
import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createMesh } from '../../../src/index.ts';
import { eventually } from '../../mesh/support.ts';
import { startMarked } from '../../mesh/worker/support.ts';

const rounds = Number(process.env['HEDDLE_WORKER_LOOPS'] ?? 200);
/** Starts that fill caches and pools. */
const warmRounds = 20;
const flatBytes = 48 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** What this process holds by now; descriptors where the system tells. */
function held(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  if (process.platform === 'linux') {
    counts['descriptors'] = readdirSync('/proc/self/fd').length;
    counts['threads'] = readdirSync('/proc/self/task').length;
  }
  return counts;
}

async function round(number: number): Promise<void> {
  const mesh = number % 10 === 9 ? await startMarked() : await createMesh({ mode: 'worker' });
  mesh.handle('app', (request) => new Response(request.body));
  const answer = await mesh.fetch('http://app/', { method: 'POST', body: 'x' });
  if ((await answer.text()) !== 'x') throw new Error('a wrong answer');
  // The filter of the marked mesh ends its thread.
  if (number % 10 === 9)
    await mesh.request({ authority: 'app', headers: { 'x-end': 'exit' } }).catch(() => {});
  await mesh.close();
}

export async function run(): Promise<void> {
  for (let i = 0; i < warmRounds; i++) await round(i);
  collect();
  const before = held();
  const residentBytes = process.memoryUsage.rss();
  const startMs = performance.now();
  for (let i = 0; i < rounds; i++) await round(i);
  const msEach = (performance.now() - startMs) / rounds;
  collect();
  const more = (): string[] =>
    Object.entries(held())
      .filter(([kind, count]) => count > (before[kind] ?? 0))
      .map(([kind, count]) => `${kind}: ${before[kind] ?? 0}, then ${count}`);
  await eventually(() => more().length === 0, `nothing is left, but there is ${more().join('; ')}`);
  const grownBytes = process.memoryUsage.rss() - residentBytes;
  const mib = Math.round(grownBytes / 1024 / 1024);
  console.log(
    `worker-life: ${rounds} starts and stops, ${Math.floor(rounds / 10)} of them killed, ${msEach.toFixed(0)} ms each; nothing left, ${mib} MiB more resident`,
  );
  if (grownBytes > flatBytes) throw new Error(`${mib} MiB more are resident`);
}
