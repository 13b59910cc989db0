import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

const program = fileURLToPath(new URL('../fixtures/lone-call.ts', import.meta.url));

test('a program that only waits for a call lives until the call ends, and no longer', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 30_000 });
  t.is(stdout.trim(), 'ERR_UPSTREAM_CONNECT');
});
