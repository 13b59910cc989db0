import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { HeddleError } from '../../src/core/base/errors.ts';
import { silentLogger } from '../../src/core/observe/logger.ts';
import { createLogOutputs } from '../../src/transport/log-output.ts';

const inDirectory = (t: { teardown(run: () => void): void }): ((name: string) => string) => {
  const directory = mkdtempSync(join(tmpdir(), 'heddle-log-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return (name) => join(directory, name);
};
const line = (text: string): Buffer => Buffer.from(`${text}\n`);

test('appends in order, whatever arrives while a write is under way, and close waits for it', async (t) => {
  const path = inDirectory(t)('a.log');
  const outputs = createLogOutputs({ logger: silentLogger });
  const output = outputs.open(path);
  t.is(outputs.open(path), output);
  const expected: string[] = [];
  for (let i = 0; i < 500; i++) {
    t.true(output.write(line(`line ${i}`), 1));
    expected.push(`line ${i}`);
  }
  output.gathering.add({ flush: () => void output.write(line('last'), 1) });
  await outputs.close();
  t.deepEqual(readFileSync(path, 'utf8').split('\n').slice(0, -1), [...expected, 'last']);
  t.is(statSync(path).mode & 0o777 & ~0o640, 0);
  const again = createLogOutputs({ logger: silentLogger });
  again.open(path).write(line('appended'), 1);
  await again.close();
  t.true(readFileSync(path, 'utf8').endsWith('last\nappended\n'));
});

test('reopen writes to the new file; nothing is lost or written twice while it happens', async (t) => {
  const at = inDirectory(t);
  const outputs = createLogOutputs({ logger: silentLogger });
  const output = outputs.open(at('a.log'));
  for (let i = 0; i < 100; i++) output.write(line(`${i}`), 1);
  renameSync(at('a.log'), at('a.log.1'));
  outputs.reopen();
  for (let i = 100; i < 200; i++) output.write(line(`${i}`), 1);
  await outputs.close();
  const all = readFileSync(at('a.log.1'), 'utf8') + readFileSync(at('a.log'), 'utf8');
  t.deepEqual(
    all.split('\n').slice(0, -1),
    Array.from({ length: 200 }, (_, i) => `${i}`),
  );
  t.true(readFileSync(at('a.log'), 'utf8').length > 0);
});

test('a file that was moved away is noticed without being told', async (t) => {
  const at = inDirectory(t);
  const outputs = createLogOutputs({ logger: silentLogger });
  const output = outputs.open(at('a.log'));
  unlinkSync(at('a.log'));
  output.write(line('into the void'), 1);
  const deadline = performance.now() + 5000;
  while (performance.now() < deadline && !exists(at('a.log'))) await new Promise(setImmediate);
  output.write(line('seen'), 1);
  await outputs.close();
  t.is(readFileSync(at('a.log'), 'utf8'), 'seen\n');
});

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('a full disk costs the lines, counts them and stops nothing', async (t) => {
  const outputs = createLogOutputs({ logger: silentLogger });
  const output = outputs.open('/dev/full');
  t.true(output.write(line('a'), 1));
  t.true(output.write(line('b\nc'), 2));
  await outputs.close();
  t.is(output.takeLost?.(), 3);
  t.is(output.takeLost?.(), 0);
});

test('what a slow disk cannot take is refused at once, and taken again later', async (t) => {
  const outputs = createLogOutputs({ logger: silentLogger });
  const output = outputs.open(inDirectory(t)('a.log'));
  const large = Buffer.alloc(1024 * 1024, 'x');
  const taken = Array.from({ length: 12 }, () => output.write(large, 1));
  t.deepEqual(taken.filter((each) => each).length, 8);
  const deadline = performance.now() + 5000;
  while (performance.now() < deadline && !output.write(large, 1)) await new Promise(setImmediate);
  t.true(performance.now() < deadline);
  await outputs.close();
});

test('a path that cannot be opened is told at once', (t) => {
  const outputs = createLogOutputs({ logger: silentLogger });
  const error = t.throws(() => outputs.open('/nowhere/at/all.log'), { instanceOf: HeddleError });
  t.is(error?.code, 'ERR_OPTION_INVALID');
});
