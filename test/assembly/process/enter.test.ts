import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';

/** A program that makes a mesh of this package and one of a copy of it. */
function twoCopies(
  t: ExecutionContext,
  env: Record<string, string>,
): { code: number | null; out: string; error: string } {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-copies-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  cpSync('src', join(folder, 'src'), { recursive: true });
  cpSync('package.json', join(folder, 'package.json'));
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  const program = `
    import { createMesh, HeddleError } from ${JSON.stringify(resolve('src/index.ts'))};
    import { createMesh as createOther } from './src/index.ts';
    const mesh = await createMesh();
    await using again = await createMesh();
    await mesh.close();
    try {
      await using other = await createOther();
      other.handle('users', () => new Response('hello'));
      console.log(await (await other.fetch('http://users/')).text());
    } catch (error) {
      console.log(error instanceof HeddleError, error.message);
    }
  `;
  writeFileSync(join(folder, 'program.ts'), program);
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'program.ts')], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 30_000,
  });
  return { code: status, out: stdout, error: stderr };
}

test('a second copy of the package is refused and both are named', (t) => {
  const { code, out, error } = twoCopies(t, {});
  t.is(code, 0, error);
  t.regex(
    out,
    /^true \[ERR_COPY_LOADED\] .*: \d+\.\d+\.\d+ from file:\/\/\S+, and \d+\.\d+\.\d+ from file:\/\/\S*heddle-copies-/,
  );
});

test('HEDDLE_COPIES=allow runs both side by side, HEDDLE_TRACE tells of both', (t) => {
  const { out, error } = twoCopies(t, { HEDDLE_COPIES: 'allow', HEDDLE_TRACE: 'route' });
  t.is(out, 'hello\n');
  t.regex(error, /heddle:route #1 call GET users\/ -> route \S+, cluster users, host /);
});
