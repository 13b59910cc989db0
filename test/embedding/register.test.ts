import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { findConfig } from '../../src/embedding/register/find-config.ts';
import { echo, type Teardown, upstream } from '../mesh/support.ts';

const register = new URL('../../src/register.ts', import.meta.url).href;
const app = fileURLToPath(new URL('../fixtures/embedding/app.mjs', import.meta.url));

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the application in a directory of its own, with `heddle/register` imported first. */
function run(args: readonly string[], env: Record<string, string> = {}, cwd?: string): Promise<Run> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', register, app, ...args],
      { env: { ...process.env, ...env }, cwd, timeout: 50_000 },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly error?: string;
}
const resultsOf = ({ stdout }: Run): { own: Answer; calls: Answer[] } =>
  JSON.parse(stdout) as { own: Answer; calls: Answer[] };

async function directory(t: Teardown): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'heddle-register-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function configFile(t: Teardown, text: string): Promise<string> {
  const path = join(await directory(t), 'heddle.yaml');
  await writeFile(path, text);
  return path;
}

test('an application without a change of code calls by name and is protected', async (t) => {
  const { address } = await upstream(t, echo);
  const other = await upstream(t, (_request, response) => response.end('another host'));
  const path = await configFile(
    t,
    `clusters:
  - { name: users, endpoints: ['${address}'] }
ingress:
  filters:
    - name: header-mutation
      config: { responseHeaders: [{ name: x-by, value: mesh }] }
`,
  );
  const ran = await run(['http://users/42', `http://${other.address}/`], { HEDDLE_CONFIG: path });
  t.is(ran.stderr, '');
  const { own, calls } = resultsOf(ran);
  t.is(own.headers['x-by'], 'mesh');
  t.regex(own.body, /"traceparent":"00-/);
  t.deepEqual(
    calls.map(({ status }) => status),
    [200, 200, 200, 200],
  );
  for (const each of calls.slice(0, 2))
    t.like(JSON.parse(each.body), { url: '/42', headers: { host: 'users' } });
  for (const each of calls.slice(2)) t.is(each.body, 'another host');
});

test('without a configuration calls are left alone and servers are traced', async (t) => {
  const { address } = await upstream(t, echo);
  const ran = await run(
    [`http://${address}/a`, 'http://users.invalid/'],
    { HEDDLE_CONFIG: '', APP_WAIT_MS: '4000' },
    await directory(t),
  );
  t.is(ran.stderr, '');
  const { own, calls } = resultsOf(ran);
  t.regex(own.body, /"traceparent":"00-/);
  t.is(calls[0]?.status, 200);
  t.notRegex(calls[0]?.body ?? '', /traceparent/);
  t.regex(calls[2]?.error ?? '', /ENOTFOUND|EAI_AGAIN/);
});

test('a bad configuration ends the process with one clear message, or is passed over when told so', async (t) => {
  const path = await configFile(t, 'clusters: [{ name: users, endpoints: [nowhere] }]\n');
  const refused = await run([], { HEDDLE_CONFIG: path });
  t.is(refused.code, 2);
  t.is(refused.stdout, '');
  t.regex(refused.stderr, /^heddle\/register: \[ERR_CONFIG_INVALID\] .*clusters\[0\]\.endpoints\[0\]/s);
  t.notRegex(refused.stderr, /\n\s+at /, 'no stack');
  const open = await run([], { HEDDLE_CONFIG: path, HEDDLE_FAIL_OPEN: '1' });
  t.is(open.code, 0);
  t.regex(open.stderr, /the application runs without it\n$/);
  t.is(resultsOf(open).own.status, 200);
  const missing = await run([], { HEDDLE_CONFIG: '/nowhere/heddle.yaml' });
  t.is(missing.code, 2);
  t.regex(missing.stderr, /ERR_CONFIG_READ.*\/nowhere\/heddle\.yaml/);
});

test('the file is the named one, else heddle.yaml beside the nearest package.json above the program', async (t) => {
  const root = await directory(t);
  await mkdir(join(root, 'src', 'deep'), { recursive: true });
  const program = join(root, 'src', 'deep', 'app.js');
  t.is(findConfig('conf/a.yaml', program, '/srv'), '/srv/conf/a.yaml');
  t.is(findConfig(undefined, program, root), null);
  await writeFile(join(root, 'package.json'), '{}');
  t.is(findConfig(undefined, program, root), null);
  await writeFile(join(root, 'heddle.yaml'), '{}');
  t.is(findConfig(undefined, program, '/'), join(root, 'heddle.yaml'));
  t.is(findConfig('', '', root), join(root, 'heddle.yaml'));
  await writeFile(join(root, 'src', 'package.json'), '{}');
  t.is(findConfig(undefined, program, '/'), null, 'the nearest package decides');
});
