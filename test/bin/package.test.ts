import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
import { runProgram } from '../fixtures/run-program.ts';

let folder = '';

/** The package as npm would install it: built files and bin/heddle.js, no TypeScript in bin. */
test.before(async (t) => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-package-'));
  const built = await runProgram(['build/run.ts', join(folder, 'dist')]);
  t.is(built.exitCode, 0, built.stdout + built.stderr);
  await mkdir(join(folder, 'bin'));
  await cp('bin/heddle.js', join(folder, 'bin/heddle.js'));
  await cp('package.json', join(folder, 'package.json'));
  await symlink(resolve('node_modules'), join(folder, 'node_modules'));
});

test.after.always(() => rm(folder, { recursive: true }));

test('the built package runs its demo without losing a call', async (t) => {
  const demo = await runProgram([join(folder, 'bin/heddle.js'), 'demo', '--seconds', '1', '--json']);
  t.is(demo.exitCode, 0, demo.stderr);
  const { calls, lost } = JSON.parse(demo.stdout) as { calls: number; lost: number };
  t.true(calls > 0);
  t.is(lost, 0);
});

/** Modules of Node that the build loads late, their classes, too. */
const withTls = `
import { createMesh } from 'heddle';
const [folder] = process.argv.slice(1);
const tls = { certificates: [{ cert: folder + '/web.pem', key: folder + '/web.key' }] };
const toHost = { ca: folder + '/ca.pem', trustDomain: 'dev.local' };
const routes = [{ match: { prefix: '/' }, directResponse: { status: 200, body: 'by TLS' } }];
const listener = { name: 'in', address: '127.0.0.1:0', tls, virtualHosts: [{ name: 'all', domains: ['*'], routes }] };
await using served = await createMesh({ listeners: [listener] });
const { port } = new URL('https://' + served.listeners.addresses.in);
const discovery = { name: 'dns', config: { names: ['localhost'], port: Number(port), family: 'v4' } };
await using mesh = await createMesh({ clusters: [{ name: 'web', discovery, tls: toHost }] });
const response = await mesh.request({ authority: 'web' });
console.log(response.status, await response.text());
`;

test('the built package issues certificates, serves TLS and verifies it', async (t) => {
  const certs = await mkdtemp(join(tmpdir(), 'heddle-package-certs-'));
  t.teardown(() => rm(certs, { recursive: true }));
  for (const args of [['init'], ['issue', 'web']]) {
    const made = await runProgram([join(folder, 'bin/heddle.js'), 'certs', ...args, '--dir', certs]);
    t.is(made.exitCode, 0, made.stderr);
  }
  const program = withTls.replace("from 'heddle'", `from '${join(folder, 'dist/src/index.js')}'`);
  const { exitCode, stdout, stderr } = await runProgram(['--input-type=module', '-e', program, certs]);
  t.is(exitCode, 0, stderr);
  t.is(stdout, '200 by TLS\n');
});
