import { execFile } from 'node:child_process';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { attach, readProcess } from '../../../src/diagnostics/attach/index.ts';
import { decodePprof, encodePprof, ProfileBuilder, toFolded } from '../../../src/diagnostics/index.ts';
import { cleanEnvironment, startApp, startChild, testDirectory, until } from '../attach/child.ts';

const heddle = new URL('../../../bin/heddle.js', import.meta.url).pathname;

/** A start of the command compiles 300 files of TypeScript (1 s of a core); all but the first read what that one wrote. */
const env = cleanEnvironment({
  NODE_COMPILE_CACHE: new URL('../../../node_modules/.cache/heddle-tests', import.meta.url).pathname,
});

const run = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> => runIn({}, args);

const runIn = (
  extra: NodeJS.ProcessEnv,
  args: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [heddle, ...args], { env: { ...env, ...extra } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });

const writeProfile = async (path: string, stacks: Record<string, number>): Promise<void> => {
  const builder = new ProfileBuilder([{ type: 'cpu', unit: 'nanoseconds' }]);
  for (const [stack, value] of Object.entries(stacks)) {
    const frames = stack.split(';').map((name) => builder.frame({ name, url: '/a.js', line: 1, column: 1 }));
    builder.add(builder.path(frames), [value]);
  }
  await writeFile(path, encodePprof(builder.build({ kind: 'cpu', durationMs: 1000 })));
};

test('profile files are shown, compared and converted', async (t) => {
  t.timeout(60_000);
  const directory = await testDirectory(t);
  const [one, two, out] = ['one.pb.gz', 'two.pb.gz', 'out.pb.gz'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  await writeProfile(one, { 'main;parse': 6e8, 'main;render': 4e8 });
  await writeProfile(two, { 'main;parse': 9e8, 'main;render': 1e8 });
  const shown = await run('profile', 'show', one);
  t.regex(shown.stdout, /600\.00 ms\s+60\.0%.*parse \(\/a\.js:1\)/);
  const compared = await run('profile', 'diff', one, two, '-o', out);
  t.regex(compared.stdout, /60\.0%\s+90\.0%\s+\+300\.00 ms\s+parse/);
  t.is(toFolded(decodePprof(await readFile(out))), 'main;parse 300000000\nmain;render -300000000\n');
  t.is(
    (await run('profile', 'convert', one, '--to', 'folded')).stdout,
    'main;parse 600000000\nmain;render 400000000\n',
  );
  t.is(JSON.parse((await run('profile', 'convert', one, '--to', 'speedscope')).stdout).exporter, 'heddle');
  t.is((await run('profile', 'list', directory)).stdout, `no captures in ${directory}\n`);
});

test('captures are looked for where HEDDLE_PROFILES says, and none is no mistake', async (t) => {
  t.timeout(60_000);
  const directory = await testDirectory(t);
  const none = { HEDDLE_PROFILES: join(directory, 'none') };
  t.is((await runIn(none, ['profile', 'list'])).stdout, `no captures in ${directory}/none\n`);
  t.regex((await runIn(none, ['profile', 'show'])).stderr, /there is no capture in .*none yet/);
  await writeFile(join(directory, 'a.verdict.md'), '# page\n');
  await writeFile(join(directory, 'a.verdict.json'), '{"page":1}');
  await symlink('a.verdict.md', join(directory, 'latest'));
  const here = { HEDDLE_PROFILES: directory };
  t.is((await runIn(here, ['profile', 'show'])).stdout, '# page\n');
  t.is((await runIn(here, ['profile', 'show', '--json'])).stdout, '{"page":1}\n');
});

test('wrong input ends with a sentence and a documented exit code', async (t) => {
  // For each case: an assertion starts it anew.
  t.timeout(60_000);
  const directory = await testDirectory(t);
  const bad = join(directory, 'bad.pb.gz');
  const rules = join(directory, 'rules.yaml');
  await writeFile(bad, 'nothing');
  await writeFile(rules, 'rules:\n  stal: { aboveMs: 3 }\n');
  const config = async (name: string, text: string): Promise<string> => {
    await writeFile(join(directory, name), text);
    return join(directory, name);
  };
  const cases: readonly [string[], number, RegExp][] = [
    [['profile', 'show', bad], 2, /ERR_PROFILE_INVALID.*bad\.pb\.gz is not a pprof file/],
    [['profile', 'show', join(directory, 'none')], 2, /there is no file/],
    [['profile', 'rules', rules], 2, /rules\.yaml: rules\.stal: no such rule.*stall/],
    [
      ['profile', 'rules', await config('a.yaml', 'match: [{ labels: { tier: 2 } }]')],
      2,
      /a\.yaml: match\.0\.labels\.tier: put 2 in quotes/,
    ],
    [
      ['profile', 'rules', await config('b.yaml', 'directry: x\nmatch: []')],
      2,
      /b\.yaml: directry: there is no such setting; there are service, directory/,
    ],
    [['profile', 'rules', await config('c.yaml', 'a: [')], 2, /ERR_CONFIG_INVALID.*c\.yaml: .* at line 1/],
    [['profile', 'abc', 'cpu'], 2, /a process id is a whole number/],
    [['profile', '1', 'colour'], 2, /Allowed choices are cpu/],
    [['profile', String(2 ** 22 + 1), 'cpu'], 1, /there is no process/],
    [['watch'], 2, /name a process id, a command after "--"/],
    [['watch', 'app.js'], 2, /"app\.js" is no program: heddle watch -- node app\.js/],
    [['watch', '--for', '5s', '--', 'node'], 2, /--for has no meaning with a command to start/],
    [['watch', '--stop', String(2 ** 22 + 1)], 1, /there is no process/],
    [['profile', '1', 'cpu', '--thread', 'x'], 2, /use a whole number, 0 or more/],
    [['profile', 'list', join(directory, 'none')], 2, /there is no directory .*none/],
    [['watch', '--replay', join(directory, 'none')], 2, /ENOENT/],
    [['watch', '--', 'no-such-command'], 1, /"no-such-command" cannot be started/],
  ];
  for (const [args, code, reason] of cases) {
    const ended = await run(...args);
    t.is(ended.code, code, `${args.join(' ')}: ${ended.stderr}`);
    t.regex(ended.stderr, reason, args.join(' '));
    t.is(ended.stdout, '');
  }
});

test('a running process is profiled by one command and left as it was', async (t) => {
  const directory = await testDirectory(t);
  const burn = `function burnCandles(end) { let sum = 0; while (Date.now() < end) sum += Math.sqrt(sum); return sum; } setInterval(() => burnCandles(Date.now() + 40), 50);`;
  const app = await startApp(t, burn, ['--inspect-port=0']);
  const output = join(directory, 'cpu.pb.gz');
  const taken = await run(
    'profile',
    String(app.pid),
    'cpu',
    '-t',
    '1s',
    '--directory',
    directory,
    '-o',
    output,
  );
  t.is(taken.code, 0, taken.stderr);
  t.regex(taken.stdout, /burnCandles/);
  t.is(decodePprof(await readFile(output)).kind, 'cpu');
  const refused = await run('profile', String(app.pid), 'coroutines', '--directory', directory);
  t.is(refused.code, 2);
  t.regex(refused.stderr, /stops the process for .*; say --deep/);
  t.is(app.process.exitCode, null);
});

test('recorded signals are replayed against the rules', async (t) => {
  const directory = await testDirectory(t);
  const recording = join(directory, 'signals.jsonl');
  const samples = Array.from({ length: 40 }, (_, second) => ({
    atMs: 1_700_000_000_000 + second * 1000,
    values: { stallMs: second === 30 ? 900 : 0, cpuPercent: 5 },
  }));
  await writeFile(recording, samples.map((sample) => `${JSON.stringify(sample)}\n`).join(''));
  const replayed = await run('watch', '--replay', recording);
  t.is(replayed.code, 0, replayed.stderr);
  t.regex(replayed.stdout, /^2023-11-14T22:13:50\.000Z {2}stall {2}fired: /);
  t.is(replayed.stdout.split('\n').length, 2);
});

test('a command is watched with its exit code and output kept', async (t) => {
  const directory = await testDirectory(t);
  const code = `process.stdout.write('out'); process.stderr.write('err'); process.exitCode = 7;`;
  const ended = await run('watch', '--directory', directory, '--', process.execPath, '-e', code);
  t.deepEqual(ended, { code: 7, stdout: 'out', stderr: 'err' });
});

test('a rule that a running monitor has not got is refused by name, and the process is left as it was', async (t) => {
  t.timeout(60_000);
  const directory = await testDirectory(t);
  const app = await startApp(t, '', ['--inspect-port=0']);
  const threads = readProcess(app.pid)?.threads ?? 0;
  const pid = String(app.pid);
  const refused = await run(
    'watch',
    pid,
    '--directory',
    directory,
    '--set',
    'stal.aboveMs=1',
    '--for',
    '30s',
  );
  t.not(refused.code, 0);
  t.regex(refused.stderr, /there is no rule "stal"; this monitor has stall/);
  await until('the monitor to leave', () => (readProcess(app.pid)?.threads ?? 0) <= threads + 1);
});

test('a process is watched from outside until it ends, whatever time was asked for', async (t) => {
  t.timeout(60_000);
  const app = await startChild(t, 'sleep', ['1000'], { waitForReady: false });
  const args = [heddle, 'watch', String(app.pid), '--outside', '--for', '500s', '--json'];
  const watching = await startChild(t, process.execPath, args, { waitForReady: false, env });
  await until('a sample', () => watching.output.stdout.includes('\n'), 30_000);
  app.process.kill('SIGKILL');
  t.like(await watching.exited, { code: 0 });
  const lines = watching.output.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { process: string; type: string });
  t.is(lines[0]?.type, 'sample');
  t.is(lines[0]?.process, `sleep[${app.pid}]`);
  t.is(lines.at(-1)?.type, 'ended');
  const wrong = await run('watch', '--outside', '--', 'node', 'app.js');
  t.regex(wrong.stderr, /--outside goes with a process id/);
});

test('the rules of a monitor that an application has started are paused, go on, and it is taken out', async (t) => {
  t.timeout(60_000);
  const directory = await testDirectory(t);
  const preload = new URL('../../../src/monitor.ts', import.meta.url).href;
  const own = { HEDDLE_MONITOR: JSON.stringify({ directory, recorder: false }) };
  const app = await startApp(t, '', ['--inspect-port=0', '--import', preload], own);
  const pid = String(app.pid);
  const paused = await run('watch', pid, '--pause');
  t.regex(paused.stderr, /are paused/);
  const { control } = await attach(app.pid);
  t.true((await control.status()).paused);
  t.regex((await run('watch', pid, '--resume')).stderr, /go on/);
  t.false((await control.status()).paused);
  control.close();
  t.is((await run('watch', pid, '--stop')).code, 0);
  t.regex((await run('watch', pid, '--pause')).stderr, /has no monitor/);
});
