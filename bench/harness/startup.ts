/** What `node --import heddle/register` costs a program before its first line, as an installed package. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median, rounded } from './stats.ts';
import { type Bench, type Row, Unavailable } from './suite.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../', import.meta.url));
const runs = 20;

export interface Startup {
  /** CPU ms of a script without a line of its own. */
  readonly emptyMs: number;
  /** CPU ms beyond that with heddle/register, nothing configured. */
  readonly registerMs: number;
  readonly rows: readonly Row[];
}

/** @throws Unavailable when the package does not build */
export async function measureStartup(bench: Bench): Promise<Startup> {
  const app = join(bench.directory, 'app');
  await install(app);
  const script = join(app, 'empty.mjs');
  writeFileSync(
    script,
    "process.on('exit', () => {\n  const { user, system } = process.cpuUsage();\n  console.log((user + system) / 1000);\n});\n",
  );
  const config = join(app, 'one.yaml');
  writeFileSync(config, "clusters:\n  - { name: users, endpoints: ['127.0.0.1:9'] }\n");
  const registered = ['--import', 'heddle/register'];
  const ways: { name: string; args: readonly string[]; env: Record<string, string>; ms: number[] }[] = [
    { name: 'empty', args: [], env: {}, ms: [] },
    { name: 'heddle/register, nothing configured', args: registered, env: {}, ms: [] },
    { name: 'heddle/register, one cluster', args: registered, env: { HEDDLE_CONFIG: config }, ms: [] },
    { name: "import 'heddle'", args: ['--import', 'heddle'], env: {}, ms: [] },
  ];
  for (let i = 0; i < runs; i++) {
    for (const way of ways) {
      const options = { cwd: app, env: { PATH: process.env['PATH'], ...way.env } };
      const { stdout } = await run(process.execPath, [...way.args, script], options);
      way.ms.push(Number(stdout));
    }
  }
  const middle = (way: { readonly ms: readonly number[] } | undefined): number =>
    median(way?.ms ?? []) ?? Number.NaN;
  const emptyMs = middle(ways[0]);
  const rows = ways.slice(1).map((way) => ({ name: way.name, startupMs: rounded(middle(way) - emptyMs) }));
  return { emptyMs, registerMs: middle(ways[1]) - emptyMs, rows };
}

/** The package as npm would put it there, and beside it what it depends on. */
async function install(app: string): Promise<void> {
  const target = join(app, 'node_modules', 'heddle');
  mkdirSync(target, { recursive: true });
  writeFileSync(join(app, 'package.json'), '{ "type": "module" }\n');
  cpSync(join(repository, 'package.json'), join(target, 'package.json'));
  const args = ['build/run.ts', '--without-types', join(target, 'dist')];
  await run(process.execPath, args, { cwd: repository }).catch(() => {});
  if (!existsSync(join(target, 'dist/src/register.js'))) throw new Unavailable('the package does not build');
  const { dependencies } = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) {
    const link = join(app, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(repository, 'node_modules', name), link);
  }
}
