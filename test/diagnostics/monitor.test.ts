import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { decodePprof } from '../../src/diagnostics/pprof/index.ts';
import { filesOf, pagesOf, root, runProgram } from './program.ts';

test.serial(
  'a main thread that is blocked is profiled meanwhile, and the page names the function',
  async (t) => {
    const run = await runProgram(`
    function countPebbles(until) { let sum = 0; while (Date.now() < until) sum += Math.sqrt(sum + 1); return sum; }
    setTimeout(() => countPebbles(Date.now() + 3500), 1500);
    setTimeout(() => {}, 7000);`);
    t.is(run.code, 0);
    t.is(run.stderr, '');
    const [page] = pagesOf(run);
    t.is(page?.trigger.rule, 'stall');
    t.is(page?.verdict.cause.name, 'sync-work');
    t.is(page?.verdict.cause.guilty?.name, 'countPebbles');
    const profiles = filesOf(run, '.pb.gz');
    t.true(profiles.length >= 2, profiles.join());
    for (const path of profiles) {
      t.is(statSync(path).mode & 0o777, 0o600);
      t.true(decodePprof(readFileSync(path)).samples.length > 0, path);
    }
    t.is(statSync(run.directory).mode & 0o777, 0o700);
    t.regex(readlinkSync(join(run.directory, 'latest')), /\.verdict\.md$/);
  },
);

test('a leak that fills the heap within a second leaves its heap profile and its page before the process dies', async (t) => {
  const run = await runProgram(
    `const kept = [];
     function hoardRows() { kept.push(Array.from({ length: 2000 }, (_, index) => ({ index, text: 'v' + index }))); }
     setTimeout(() => { for (;;) hoardRows(); }, 1200);`,
    { warmUpMs: 10_000 },
    ['--max-old-space-size=200'],
  );
  t.not(run.code, 0);
  t.true(filesOf(run, '.heapprofile').length >= 1, readdirSync(run.directory).join());
  t.regex(readFileSync(filesOf(run, '.heapprofile')[0] ?? '', 'utf8'), /hoardRows/);
  const page = pagesOf(run).find(({ trigger }) => trigger.rule === 'near-heap-limit');
  t.is(page?.verdict.cause.name, 'heap-leak');
  t.is(page?.verdict.cause.guilty?.name, 'hoardRows');
});

test('the monitor leaves no trace at exit, however the program ends', async (t) => {
  const endings: Record<string, [string, number]> = {
    naturally: ['setTimeout(() => {}, 400)', 0],
    'by process.exit': ['setTimeout(() => process.exit(3), 400)', 3],
    'at once': ['process.exitCode = 4', 4],
  };
  for (const [how, [source, code]] of Object.entries(endings)) {
    const run = await runProgram(
      `${source}; process.on('exit', () => { const start = performance.now(); setImmediate(() => {}); globalThis.start = start; });`,
    );
    t.is(run.code, code, how);
    t.is(run.stderr, '', how);
    t.is(run.stdout, '', how);
  }
});

test('an uncaught error ends the program as without a monitor', async (t) => {
  const run = await runProgram(`setTimeout(() => { throw new Error('on purpose'); }, 300)`);
  t.is(run.code, 1);
  t.regex(run.stderr, /on purpose/);
  t.notRegex(run.stderr, /debugger/i);
});

test('wrong settings are told in one line and the program runs', async (t) => {
  const run = await runProgram(`console.log('ran')`, { rules: { stal: true } });
  t.is(run.code, 0);
  t.is(run.stdout, 'ran\n');
  t.regex(run.stderr, /^heddle\/monitor: \[ERR_MONITOR_RULES\].*no such rule.*\n$/);
});

test('an unwritable directory disables captures, not the program', async (t) => {
  const run = await runProgram(`setTimeout(() => console.log('ran'), 600)`, { directory: '/proc/nowhere' });
  t.is(run.code, 0);
  t.is(run.stdout, 'ran\n');
});

test('capture, status, rule change, pause and metrics work on a running monitor', async (t) => {
  const run = await runProgram(
    `import http from 'node:http';
     import { createMonitor, createDebugHandler } from ${JSON.stringify(join(root, 'src/diagnostics/index.ts'))};
     const seen = [];
     await using monitor = await createMonitor({ directory: process.env.HEDDLE_PROFILES, service: 'inside', intervalMs: 200, signals: [{ name: 'queue', unit: 'count', description: 'd', read: () => 7 }], onCapture: (capture) => seen.push(capture.trigger.rule) });
     const capture = await monitor.capture({ kinds: ['cpu', 'heap', 'gc', 'report', 'in-flight', 'pending', 'buffers', 'stack', 'allocations', 'before'], durationMs: 300 });
     const refused = await monitor.setRules([{ name: 'x' }]).catch((error) => error.code);
     await monitor.setRules({ stall: { aboveMs: 900 } });
     await monitor.pause();
     const deep = await monitor.capture({ kinds: ['coroutines'] }).catch((error) => error.code);
     const exact = await monitor.capture({ kinds: ['coroutines'], deep: true });
     const debug = createDebugHandler(monitor);
     const server = http.createServer(async (request, response) => { if (!(await debug(request, response))) response.end('app'); }).listen(0, '127.0.0.1');
     await new Promise((resolve) => server.once('listening', resolve));
     const get = async (path, headers = {}) => { const answer = await fetch('http://127.0.0.1:' + server.address().port + path, { headers }); return [answer.status, (await answer.arrayBuffer()).byteLength]; };
     const listed = (await monitor.captures()).length;
     const heap = await get('/debug/pprof/heap');
     const pulled = (await monitor.captures()).length - listed + seen.length;
     const app = await get('/other');
     const wrong = await get('/debug/pprof/profile?seconds=1000');
     const metrics = await fetch('http://127.0.0.1:' + server.address().port + '/metrics').then((answer) => answer.text());
     server.closeAllConnections(); server.close();
     const status = await monitor.status();
     await new Promise((resolve) => setTimeout(resolve, 1300));
     const samples = await monitor.signals();
     console.log(JSON.stringify({ kinds: capture.files.map((file) => file.kind), missing: capture.verdict.missing, refused, deep, exact: exact.files.map((file) => file.kind), seen, pulled, heap, app, wrong, metrics: /heddle_monitor_cpu_percent\\{service="inside"/.test(metrics), paused: status.paused, stall: status.rules.find((rule) => rule.name === 'stall').settings.aboveMs, user: samples.at(-1).values['user:queue'] }));`,
  );
  t.is(run.stderr, '');
  const told = JSON.parse(run.stdout) as Record<string, unknown>;
  for (const kind of ['cpu', 'heap', 'gc', 'report', 'in-flight', 'stall', 'allocations', 'verdict']) {
    t.true(
      (told['kinds'] as string[]).includes(kind),
      `${kind} of ${told['kinds']} missing ${told['missing']}`,
    );
  }
  t.is(told['refused'], 'ERR_MONITOR_RULES');
  t.is(told['deep'], 'ERR_MONITOR_CAPTURE');
  t.true((told['exact'] as string[]).includes('coroutines'));
  t.deepEqual(told['seen'], ['manual', 'manual'], 'what is pulled goes to nobody else');
  t.is(told['pulled'], 2, 'nor does it count among the captures');
  t.true(readdirSync(join(run.directory, 'pulled')).some((name) => name.includes('-heap-')));
  t.is((told['heap'] as number[])[0], 200);
  t.deepEqual(told['app'], [200, 3]);
  t.is((told['wrong'] as number[])[0], 400);
  t.true(told['metrics']);
  t.true(told['paused']);
  t.is(told['stall'], 900);
  t.is(told['user'], 7);
});

test('worker threads are profiled each on its own', async (t) => {
  const run = await runProgram(
    `import { Worker } from 'node:worker_threads';
     import { createMonitor } from ${JSON.stringify(join(root, 'src/diagnostics/index.ts'))};
     // Its id is used up: ids and the order of the threads differ from here on.
     await new Promise((resolve) => new Worker('', { eval: true, execArgv: [] }).once('exit', resolve));
     const busy = new Worker("function grindBeans() { const end = Date.now() + 20; let sum = 0; while (Date.now() < end) sum += Math.sqrt(sum + 1); setTimeout(grindBeans, 5); } grindBeans();", { eval: true, execArgv: [] });
     await new Promise((resolve) => busy.once('online', resolve));
     const monitor = await createMonitor({ directory: process.env.HEDDLE_PROFILES, rules: [] });
     const capture = await monitor.capture({ kinds: ['cpu'], durationMs: 2000 });
     console.log(JSON.stringify(capture.verdict.profiles.map((profile) => [profile.threadId - busy.threadId, profile.functions[0]?.name])));
     await monitor.stop();
     await busy.terminate();`,
  );
  t.is(run.code, 0, run.stderr);
  const profiles = JSON.parse(run.stdout) as [number, string][];
  t.true(
    profiles.some(([difference, name]) => difference === 0 && name === 'grindBeans'),
    run.stdout + run.stderr,
  );
});

test('a worker thread is told to leave the monitor to the main thread', async (t) => {
  const module = JSON.stringify(new URL('../../src/diagnostics/index.ts', import.meta.url).href);
  const code = `const { parentPort, threadId } = require('node:worker_threads');
    import(${module}).then(({ createMonitor }) => createMonitor())
      .then(() => parentPort.postMessage('started'), ({ code, message }) => parentPort.postMessage({ code, message, threadId }));`;
  const worker = new Worker(code, { eval: true, execArgv: [] });
  const [answer] = (await once(worker, 'message')) as [{ code: string; message: string; threadId: number }];
  t.is(answer.code, 'ERR_MONITOR_START');
  t.regex(answer.message, new RegExp(`on the main thread.*this is worker ${answer.threadId}`));
  await worker.terminate();
});
