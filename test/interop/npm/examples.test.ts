import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { runProgram } from '../../fixtures/run-program.ts';

/** What each example that is a package of its own must print, line by line. */
const expected: Readonly<Record<string, RegExp>> = {
  express: /^(200 \{"hello":"ann","requestId":true\}\n){3}429 rate_limited\n$/,
  fastify: /^200 heddle \{"path":"\/42"\}\n$/,
  nestjs: /^200 \{"path":"\/42"\}\n413 \w+\nmesh closed: true\n$/,
  hono: /^200 hello ann, your request has an id: true\n$/,
  grpc: /^hello ann from two\nhello bob from two\n$/,
  ioredis: /^OK\nhello\nnull\npipelined: 100\n$/,
  pg: /^hello\n20 answers over 4 connections\n$/,
  fetch: /^users saw \/1\nusers saw \/2\nelsewhere saw \/3\n$/,
};

const packages = resolve('test/interop/node_modules');

/** The example as somebody has it who installed its dependencies: real packages, and this checkout as `heddle`. */
function installed(t: ExecutionContext, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `heddle-example-${name}-`));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join('examples', name), folder, { recursive: true });
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, 'heddle'), { recursive: true });
  const own = { name: 'heddle', type: 'module', exports: './index.js' };
  writeFileSync(join(modules, 'heddle/package.json'), JSON.stringify(own));
  const source = pathToFileURL(resolve('src/index.ts')).href;
  writeFileSync(join(modules, 'heddle/index.js'), `export * from '${source}';\n`);
  for (const each of Object.keys(dependenciesOf(join('examples', name)))) {
    if (each === 'heddle') continue;
    mkdirSync(join(modules, each, '..'), { recursive: true });
    symlinkSync(join(packages, each), join(modules, each));
  }
  return folder;
}

function dependenciesOf(folder: string): Record<string, string> {
  return (
    JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
  ).dependencies;
}

for (const [name, output] of Object.entries(expected)) {
  test.serial(`the example ${name} runs with the packages that it names, and ends by itself`, async (t) => {
    const versions = dependenciesOf('test/interop');
    for (const [each, version] of Object.entries(dependenciesOf(join('examples', name)))) {
      if (each !== 'heddle')
        t.is<string | undefined, string | undefined>(
          version,
          versions[each],
          `${each}: the version that is tested`,
        );
    }
    const { exitCode, stdout, stderr } = await runProgram([join(installed(t, name), 'index.js')]);
    t.is(stderr, '');
    t.is(exitCode, 0);
    t.regex(stdout, output);
  });
}

test('every example that is a package is run', (t) => {
  const folders = readdirSync('examples').filter((each) =>
    existsSync(join('examples', each, 'package.json')),
  );
  t.deepEqual(folders.toSorted(), Object.keys(expected).toSorted());
});
