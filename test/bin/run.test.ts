import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { controlSocketPath, RemoteControl } from '../../src/diagnostics/index.ts';

interface Started {
  readonly pid: number;
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
  const { admin, pid } = JSON.parse(String(line)) as { admin: string; pid: number };
  return { pid, admin, ended, kill: (signal) => child.kill(signal) };
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

test('a proxy profiles itself where its configuration asks for a monitor, with the settings that stand there', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'heddle-run-captures-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const settings = { directory, rules: { stall: { aboveMs: 700 } } };
  const proxy = await start(t, `${adminOnly}monitor: ${JSON.stringify(settings)}\n`);
  const control = await RemoteControl.connect(controlSocketPath(proxy.pid));
  const status = await control.status();
  control.close();
  t.is(status.service, 'heddle');
  t.is(status.directory, directory);
  t.is(status.rules.find(({ name }) => name === 'stall')?.settings['aboveMs'], 700);
  proxy.kill('SIGTERM');
  t.deepEqual(await proxy.ended, [0, null]);
});
