import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

const execute = promisify(execFile);
const source = (name: string): string => fileURLToPath(new URL(`../../src/${name}.ts`, import.meta.url));

test('require gives CommonJS programs what import gives: no entry point but register waits at its top level', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'heddle-commonjs-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const program = join(directory, 'app.cjs');
  const entries = [
    'index',
    'core/index',
    'transport/index',
    'sharding/index',
    'diagnostics/index',
    'testing/index',
  ];
  await writeFile(
    program,
    `const loaded = ${JSON.stringify(entries.map(source))}.map((path) => require(path));
    const { createMesh, HeddleError } = loaded[0];
    createMesh().then(async (mesh) => {
      mesh.handle('users', () => new Response('hello'));
      const answer = await mesh.fetch('http://users/');
      console.log(await answer.text(), typeof HeddleError, loaded.length);
      await mesh.close();
    });`,
  );
  const { stdout, stderr } = await execute(process.execPath, [program], { timeout: 50_000 });
  t.is(stderr, '');
  t.is(stdout.trim(), 'hello function 6');
});

test('the adapters are the same objects for require and import', async (t) => {
  const require = createRequire(import.meta.url);
  const required = require(source('index')) as object;
  const imported = (await import('../../src/index.ts')) as object;
  t.deepEqual(Object.keys(required).toSorted(), Object.keys(imported).toSorted());
});
