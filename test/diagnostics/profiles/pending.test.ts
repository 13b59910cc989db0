import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import type { PendingOptions } from '../../../src/diagnostics/contract.ts';

const run = promisify(execFile);
const fixture = new URL('../../fixtures/diagnostics/pending.ts', import.meta.url).pathname;

interface Outcome {
  readonly folded: string;
  readonly count: number;
  readonly types: readonly { readonly type: string }[];
}

const track = async (options: PendingOptions): Promise<Outcome> => {
  const { stdout } = await run(process.execPath, [fixture, JSON.stringify(options)]);
  return JSON.parse(stdout);
};
const sumOf = ({ folded }: Outcome, pattern: RegExp): number =>
  folded
    .split('\n')
    .filter((line) => pattern.test(line))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);

test('every resource tracked: pending work is counted exactly by type and the stack that began it', async (t) => {
  const outcome = await track({ sampleEvery: 1, maxSamplesPerSecond: 1e9, maxLive: 1e6 });
  t.is(sumOf(outcome, /^\[PROMISE\];.*callSlowBackend /), 20_000);
  t.is(sumOf(outcome, /^\[Timeout\];.*leakTimer /), 20_000);
  t.is(sumOf(outcome, /healthy/), 0);
  t.deepEqual(
    outcome.types.map(({ type }) => type),
    ['async_resources', 'age'],
  );
});

test('sampled and thinned out, the estimate stays within a quarter', async (t) => {
  const outcome = await track({ sampleEvery: 20, maxSamplesPerSecond: 1e9, maxLive: 3000 });
  for (const pattern of [/callSlowBackend /, /leakTimer /]) {
    const estimate = sumOf(outcome, pattern);
    // At least 750 samples each: five standard deviations are 18 % and the thinning adds some.
    t.true(estimate > 15_000 && estimate < 25_000, `${pattern}: ${estimate}`);
  }
});

test('the budget of samples a second raises the distance between them', async (t) => {
  const outcome = await track({ sampleEvery: 1, maxSamplesPerSecond: 50 });
  const estimate = sumOf(outcome, /callSlowBackend /);
  t.true(estimate > 5_000 && estimate < 60_000, `${estimate}`);
});

test('ports that Node itself opens to threads of threads are no pending work', async (t) => {
  const tracker = new URL('../../../src/diagnostics/profiles/pending.ts', import.meta.url).href;
  const folded = new URL('../../../src/diagnostics/pprof/index.ts', import.meta.url).href;
  const program = `
    const { Worker, MessageChannel } = require('node:worker_threads');
    (async () => {
      const [{ startPending }, { toFolded }] = [await import(${JSON.stringify(tracker)}), await import(${JSON.stringify(folded)})];
      const nested = \`const { Worker, parentPort } = require('node:worker_threads');
        parentPort.once('message', () => new Worker('setInterval(() => {}, 1e6)', { eval: true }).once('online', () => parentPort.postMessage('up')));\`;
      const worker = new Worker(nested, { eval: true });
      await new Promise((resolve) => worker.once('online', resolve));
      const pending = startPending({ sampleEvery: 1 });
      const up = new Promise((resolve) => worker.once('message', resolve));
      worker.postMessage('go');
      await up;
      function openChannel() { return new MessageChannel(); }
      const own = openChannel();
      own.port1.ref(); own.port2.ref();
      await new Promise((resolve) => setTimeout(resolve, 200));
      console.log(toFolded(pending.dump()));
      process.exit(0);
    })();`;
  const { stdout } = await run(process.execPath, ['-e', program]);
  const ports = stdout.split('\n').filter((line) => line.startsWith('[MESSAGEPORT]'));
  t.true(ports.length > 0, stdout);
  t.true(
    ports.every((line) => line.includes('openChannel')),
    stdout,
  );
});
