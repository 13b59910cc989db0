import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';

interface Started {
  readonly admin: string;
  /** Resolves with exit code and signal. */
  readonly ended: Promise<unknown[]>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts `heddle run` with the text as its configuration and waits for the line that says where it listens. */
async function start(t: ExecutionContext, config: string): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-run-'));
  const path = join(folder, 'heddle.yaml');
  await writeFile(path, config);
  const child = spawn(process.execPath, ['bin/heddle.js', 'run', '--config', path, '--json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.teardown(async () => {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });
  const ended = once(child, 'exit');
  const [line] = (await Promise.race([once(child.stdout, 'data'), ended])) as [Buffer | number];
  const { admin } = JSON.parse(String(line)) as { admin: string };
  return { admin, ended, kill: (signal) => child.kill(signal) };
}

const adminOnly = 'admin: { address: "127.0.0.1:0", token: t }\n';

test('a proxy without listeners lives until it is drained by its admin endpoint', async (t) => {
  const proxy = await start(t, adminOnly);
  t.is((await fetch(`http://${proxy.admin}/ready`)).status, 200);
  const drain = await fetch(`http://${proxy.admin}/drain`, {
    method: 'POST',
    headers: { authorization: 'Bearer t' },
  });
  t.is(drain.status, 202);
  t.deepEqual(await proxy.ended, [0, null]);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends a proxy with exit code 0`, async (t) => {
    const proxy = await start(t, adminOnly);
    proxy.kill(signal);
    t.deepEqual(await proxy.ended, [0, null]);
  });
}

test('SIGHUP leaves it running', async (t) => {
  const proxy = await start(t, adminOnly);
  proxy.kill('SIGHUP');
  t.is((await fetch(`http://${proxy.admin}/ready`)).status, 200);
  proxy.kill('SIGTERM');
  t.deepEqual(await proxy.ended, [0, null]);
});
