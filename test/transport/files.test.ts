import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createFileAccess, SystemClock } from '../../src/transport/index.ts';

const files = createFileAccess(new SystemClock());

function directory(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'heddle-files-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

interface Watched {
  readonly changes: () => number;
  next(): Promise<void>;
}

function watching(t: ExecutionContext, path: string): Watched {
  let changes = 0;
  let wake = (): void => {};
  const stop = files.watch(path, () => {
    changes++;
    wake();
  });
  t.teardown(stop);
  return {
    changes: () => changes,
    next: async () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const timer = setTimeout(() => reject(new Error('no change within 5 s')), 5000);
      wake = resolve;
      await promise;
      clearTimeout(timer);
    },
  };
}

test('a write replaces the file whole, with its mode, and leaves nothing else behind', async (t) => {
  const at = directory(t);
  const path = join(at, 'a.json');
  await files.writeText(path, 'one', 0o600);
  await files.writeText(path, 'two', 0o640);
  t.is(await files.readText(path), 'two');
  t.is(statSync(path).mode & 0o777, 0o640);
  t.deepEqual(await readdir(at), ['a.json']);
  await t.throwsAsync(files.writeText(join(at, 'none', 'a.json'), 'x', 0o600), { code: 'ENOENT' });
});

test('a write through a link changes what the link leads to', async (t) => {
  const at = directory(t);
  writeFileSync(join(at, 'real'), 'old');
  symlinkSync(join(at, 'real'), join(at, 'link'));
  await files.writeText(join(at, 'link'), 'new', 0o600);
  t.is(readFileSync(join(at, 'real'), 'utf8'), 'new');
});

test('a change in place, an atomic rename and a rename again are each seen; other files are not', async (t) => {
  const at = directory(t);
  const path = join(at, 'list.yaml');
  writeFileSync(path, 'a');
  const watched = watching(t, path);
  writeFileSync(join(at, 'other'), 'x');
  let seen = watched.next();
  writeFileSync(path, 'changed');
  await seen;
  for (const text of ['renamed', 'renamed again']) {
    seen = watched.next();
    writeFileSync(join(at, 'tmp'), text);
    renameSync(join(at, 'tmp'), path);
    await seen;
    t.is(await files.readText(path), text);
  }
  t.is(watched.changes(), 3);
});

test('a swapped link further up, as Kubernetes mounts configuration, is seen twice in a row', async (t) => {
  const at = directory(t);
  for (const name of ['v1', 'v2', 'v3']) {
    mkdirSync(join(at, name));
    writeFileSync(join(at, name, 'list.yaml'), name);
  }
  symlinkSync('v1', join(at, '..data'));
  symlinkSync(join('..data', 'list.yaml'), join(at, 'list.yaml'));
  const path = join(at, 'list.yaml');
  const watched = watching(t, path);
  for (const name of ['v2', 'v3']) {
    const seen = watched.next();
    symlinkSync(name, join(at, '..data_tmp'));
    renameSync(join(at, '..data_tmp'), join(at, '..data'));
    await seen;
    t.is(await files.readText(path), name);
  }
});

test('a file that appears later is a change', async (t) => {
  const at = directory(t);
  const path = join(at, 'later');
  const watched = watching(t, path);
  const seen = watched.next();
  writeFileSync(path, 'here');
  await seen;
  t.is(watched.changes(), 1);
});
