import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { warmUpMsOf } from '../../../src/diagnostics/attach/attach.ts';
import {
  listNodeProcesses,
  type ProcessFacts,
  readProcess,
  refusalOf,
} from '../../../src/diagnostics/attach/index.ts';
import { testDirectory } from './child.ts';

interface Written {
  readonly executable?: string;
  readonly comm?: string;
  readonly state?: string;
  readonly commandLine?: readonly string[];
  readonly environment?: readonly string[];
  readonly uid?: number;
  readonly caught?: string;
  readonly net?: string;
}

const writeProcess = (root: string, pid: number, given: Written): void => {
  const home = join(root, String(pid));
  mkdirSync(join(home, 'ns'), { recursive: true });
  const { comm = 'node', state = 'S', caught = '0000000188004602' } = given;
  writeFileSync(
    join(home, 'stat'),
    `${pid} (${comm}) ${state} 1 1 1 0 -1 4194304 1 0 0 0 40 2 0 0 20 0 11 0 777 1000 250 1`,
  );
  writeFileSync(
    join(home, 'status'),
    `Name:\tnode\nUid:\t${given.uid ?? 1000}\t0\t0\t0\nTracerPid:\t0\nSigCgt:\t${caught}\n`,
  );
  writeFileSync(
    join(home, 'cmdline'),
    (given.commandLine ?? ['node', 'app.js']).map((part) => `${part}\0`).join(''),
  );
  writeFileSync(join(home, 'environ'), (given.environment ?? []).map((part) => `${part}\0`).join(''));
  const { executable = '/usr/bin/node' } = given;
  if (executable !== '') symlinkSync(executable, join(home, 'exe'));
  symlinkSync(given.net ?? 'net:[1]', join(home, 'ns', 'net'));
  symlinkSync('mnt:[1]', join(home, 'ns', 'mnt'));
};

const facts = async (t: { teardown(clean: () => unknown): void }, given: Written): Promise<ProcessFacts> => {
  const root = await testDirectory(t);
  writeProcess(root, 4242, given);
  mkdirSync(join(root, 'self', 'ns'), { recursive: true });
  symlinkSync('net:[1]', join(root, 'self', 'ns', 'net'));
  symlinkSync('mnt:[1]', join(root, 'self', 'ns', 'mnt'));
  return readProcess(4242, root) as ProcessFacts;
};

test('a process is read with its name, times, memory and labels', async (t) => {
  const read = await facts(t, {
    comm: 'a) b (c',
    commandLine: ['node', '--max-old-space-size=100', '/srv/orders.mjs', '--port', '1'],
    environment: ['HEDDLE_LABELS=team=shop,tier=web', 'NODE_OPTIONS=--trace-gc'],
  });
  t.like(read, {
    pid: 4242,
    state: 'S',
    startTicks: 777,
    cpuTicks: 42,
    threads: 11,
    name: 'orders',
    isNode: true,
  });
  t.is(read.rssBytes, 250 * 4096);
  t.deepEqual(read.labels, { team: 'shop', tier: 'web' });
});

test('a process is named by its script, not by what options take', async (t) => {
  const cases: readonly [readonly string[], string][] = [
    [['node', '--import', 'heddle/monitor', '-r', './hook.cjs', '/srv/shop.ts'], 'shop'],
    [['node', '-e', 'setInterval(() => {}, 1)'], '[eval]'],
    [['my-title'], 'my-title'],
  ];
  for (const [commandLine, name] of cases) t.is((await facts(t, { commandLine })).name, name);
});

test('the port of the inspector is read from flags and environment; the last one counts', async (t) => {
  const cases: readonly [Written, number][] = [
    [{}, 9229],
    [{ commandLine: ['node', '--inspect-port=0', 'app.js'] }, 0],
    [{ commandLine: ['node', '--inspect-port=127.0.0.1:9300', 'app.js'] }, 9300],
    [{ environment: ['NODE_OPTIONS=--debug-port=9400 --inspect-port=[::1]:9500'] }, 9500],
  ];
  for (const [given, port] of cases) t.is((await facts(t, given)).inspectPort, port);
});

test('rules wait while a program starts, not in one that has run for long', async (t) => {
  const root = await testDirectory(t);
  // Began 7.77 s after boot.
  writeProcess(root, 4242, {});
  const read = readProcess(4242, root) as ProcessFacts;
  for (const [uptime, warmUpMs] of [
    ['7.77 1.00', 10_000],
    ['10.77 1.00', 7000],
    ['17.00 1.00', 1500],
    ['9999.99 1.00', 1500],
  ] as const) {
    writeFileSync(join(root, 'uptime'), uptime);
    t.is(warmUpMsOf(read, root), warmUpMs, uptime);
  }
});

test('every doubt is a refusal that says what to do', async (t) => {
  const cases: readonly [Written, RegExp | undefined][] = [
    [{}, undefined],
    [{ executable: '/usr/bin/python3.11' }, /is not Node\.js \(it runs \/usr\/bin\/python3\.11\)/],
    [{ executable: '/opt/node-v22.18.0/bin/node (deleted)' }, undefined],
    [{ uid: 7 }, /belongs to user 7; run heddle as that user/],
    [{ net: 'net:[9]' }, /runs in another container; start it there with/],
    [{ caught: '0000000188004402' }, /does not listen to SIGUSR1/],
    [{ commandLine: ['node', '--inspect-brk=0', 'app.js'] }, /already has a debugger/],
    [{ environment: ['NODE_OPTIONS=--inspect'] }, /already has a debugger/],
    [{ commandLine: ['node', '--inspect-port=0', 'app.js'] }, undefined],
    [{ state: 'T' }, /is stopped; continue it first/],
    [{ state: 't' }, /is traced/],
    [{ state: 'Z' }, /has ended/],
  ];
  for (const [given, reason] of cases) {
    const refusal = refusalOf(await facts(t, given), 1000);
    if (reason === undefined) t.is(refusal, undefined, JSON.stringify(given));
    else t.regex(refusal ?? 'not refused', reason);
  }
});

test('only Node.js processes that live are listed', async (t) => {
  const root = await testDirectory(t);
  mkdirSync(join(root, 'self', 'ns'), { recursive: true });
  for (const kind of ['net', 'mnt']) symlinkSync(`${kind}:[1]`, join(root, 'self', 'ns', kind));
  writeProcess(root, 10, {});
  writeProcess(root, 11, { executable: '/bin/bash' });
  writeProcess(root, 12, { state: 'Z' });
  writeProcess(root, 13, { executable: '/usr/bin/nodejs' });
  // Another user's: what it runs may not be read.
  writeProcess(root, 14, { uid: 7, executable: '', commandLine: ['/usr/bin/node', 'theirs.js'] });
  writeProcess(root, 15, { uid: 7, executable: '', commandLine: ['/usr/bin/perl', 'node'] });
  writeProcess(root, 16, { executable: '', commandLine: ['node', 'hardened.js'] });
  const listed = listNodeProcesses(root);
  t.deepEqual(
    listed.map(({ pid }) => pid),
    [10, 13, 14, 16],
  );
  t.like(listed[2], { name: 'theirs', isNode: false });
  t.regex(refusalOf(listed[2] as ProcessFacts, 1000) ?? '', /belongs to user 7/);
  t.regex(refusalOf(listed[3] as ProcessFacts, 1000) ?? '', /is not Node\.js .*cannot be read/);
});
