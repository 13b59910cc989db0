import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../', import.meta.url));
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  exports: Record<string, string | { types: string; default: string }>;
  sideEffects: string[];
  bin: Record<string, string>;
};

/** What is built from the source: "./dist/src/index.js" from "src/index.ts". */
const sourceOf = (built: string): string => built.replace(/^\.\/dist\//, '').replace(/\.js$/, '.ts');

test('the package holds sources, types, command and licence, and nothing of tests and benches', async (t) => {
  const { stdout } = await execute('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root });
  const [packed] = JSON.parse(stdout) as { files: { path: string; size: number }[] }[];
  const paths = packed?.files.map((each) => each.path) ?? [];
  for (const path of [
    'package.json',
    'LICENSE',
    'bin/heddle.js',
    'src/index.ts',
    'docs/config.schema.json',
  ]) {
    t.true(paths.includes(path), path);
  }
  for (const path of paths)
    t.regex(path, /^(dist|src)\/|^bin\/heddle\.js$|^docs\/config\.schema\.json$|^[^/]+$/);
  const foreign = /(^|\/)(tests?|bench|node_modules)\/|\.test\.|(^|\/)\.env|\.(pem|log|tgz)$/;
  t.deepEqual(
    paths.filter((path) => foreign.test(path)),
    [],
  );
  for (const { path, size } of packed?.files ?? [])
    t.true(size < 2 * 1024 * 1024, `${path} has ${size} bytes`);
});

test('every entry point has a source, and every side effect is one of them', (t) => {
  const built: string[] = [];
  for (const [name, target] of Object.entries(manifest.exports)) {
    if (typeof target === 'string') t.true(existsSync(`${root}${target}`), name);
    else {
      built.push(target.default);
      t.true(existsSync(`${root}${sourceOf(target.default)}`), name);
      t.is(target.types, target.default.replace(/\.js$/, '.d.ts'), name);
    }
  }
  // The build puts an entry's code into lib, by the name of its source with dots.
  const inLib = built.map((each) => `./dist/lib/${each.replace('./dist/', '').replaceAll('/', '.')}`);
  for (const each of manifest.sideEffects) t.true([...built, ...inLib].includes(each), each);
  for (const each of Object.values(manifest.bin)) t.true(existsSync(`${root}${each}`), each);
});

for (const [name, target] of Object.entries(manifest.exports)) {
  if (typeof target === 'string') continue;
  test(`${name.replace('.', 'heddle')} can be imported, prints nothing and lets the process end, or says that it is not built`, async (t) => {
    const url = new URL(`../${sourceOf(target.default)}`, import.meta.url).href;
    const code = `await import(${JSON.stringify(url)}).catch((error) => {
      if (error.code !== 'ERR_EXTENSION_NOT_BUILT') throw error;
      console.log(error.message);
    });`;
    const profiles = await mkdtemp(join(tmpdir(), 'heddle-package-'));
    t.teardown(() => rm(profiles, { recursive: true, force: true }));
    const { stdout, stderr } = await execute(process.execPath, ['--input-type=module', '-e', code], {
      timeout: 50_000,
      env: { ...process.env, HEDDLE_PROFILES: profiles },
    });
    t.is(stderr, '');
    t.regex(stdout, /^(\[ERR_EXTENSION_NOT_BUILT\] [^\n]+\n)?$/);
  });
}
