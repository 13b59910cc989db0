import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { echo, upstream } from './support.ts';

const program = fileURLToPath(new URL('../fixtures/lone-call.ts', import.meta.url));

test('a program that only waits for a call lives until the call ends, and no longer', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 30_000 });
  t.is(stdout.trim(), 'ERR_UPSTREAM_CONNECT');
});

test('a connection that waits in its pool holds no process open, one of mesh.connect does', async (t) => {
  const { address } = await upstream(t, echo);
  const alive = fileURLToPath(new URL('../fixtures/idle-connection.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [alive, address], { timeout: 30_000 });
  t.is(stdout.trim(), '200 timer ended first');
});
