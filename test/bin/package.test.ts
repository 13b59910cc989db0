import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
import { runProgram } from '../fixtures/run-program.ts';

/** The package as npm would install it: built files and bin/heddle.js, no TypeScript in bin. */
test('the built package runs its demo without losing a call', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-package-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const built = await runProgram(['build/run.ts', join(folder, 'dist')]);
  t.is(built.exitCode, 0, built.stdout + built.stderr);
  await mkdir(join(folder, 'bin'));
  await cp('bin/heddle.js', join(folder, 'bin/heddle.js'));
  await cp('package.json', join(folder, 'package.json'));
  await symlink(resolve('node_modules'), join(folder, 'node_modules'));
  const demo = await runProgram([join(folder, 'bin/heddle.js'), 'demo', '--seconds', '1', '--json']);
  t.is(demo.exitCode, 0, demo.stderr);
  const { calls, lost } = JSON.parse(demo.stdout) as { calls: number; lost: number };
  t.true(calls > 0);
  t.is(lost, 0);
});
