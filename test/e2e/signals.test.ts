import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { Agent, request } from 'undici';
import { eventually, upstream, within } from '../mesh/support.ts';
import { folder, gateway, proxy, proxyProcess, Raw, writeConfig } from './support.ts';

const direct = (body: string, address = '127.0.0.1:0') => ({
  listeners: [
    {
      name: 'in',
      address,
      virtualHosts: [
        { name: 'all', domains: ['*'], routes: [{ match: {}, directResponse: { status: 200, body } }] },
      ],
    },
  ],
});

const bodyAt = async (address: string): Promise<string> => (await fetch(`http://${address}/`)).text();

/** Asks until the answer is `wanted`. */
async function answers(address: string, wanted: string): Promise<void> {
  let isOver = false;
  const looking = (async () => {
    while (!isOver && (await bodyAt(address)) !== wanted)
      await new Promise((resolve) => setTimeout(resolve, 10));
  })();
  await within(looking, `the answer ${wanted}`).finally(() => {
    isOver = true;
  });
}

test('SIGHUP reloads; a bad file is reported and the running configuration stays', async (t) => {
  const child = await proxyProcess(t, direct('one'), ['--no-watch']);
  t.is(await bodyAt(child.address), 'one');
  await writeConfig(child.configPath, direct('two'));
  t.is(await bodyAt(child.address), 'one', 'not before it is told to');
  child.child.kill('SIGHUP');
  await answers(child.address, 'two');
  await writeConfig(child.configPath, { ...direct('three'), clutsers: [] });
  child.child.kill('SIGHUP');
  await eventually(() => /reload refused[^\n]*clutsers/.test(child.log()), 'the refusal is logged');
  t.is(await bodyAt(child.address), 'two');
  await writeConfig(child.configPath, '{ not json');
  child.child.kill('SIGHUP');
  await eventually(
    () => (child.log().match(/reload refused|repeated/g)?.length ?? 0) > 1,
    'the second refusal',
  );
  t.is(await bodyAt(child.address), 'two');
  t.is(child.child.exitCode, null);
});

test('a changed file is taken over by itself, whole, however it was replaced', async (t) => {
  const { address, configPath, standalone } = await proxy(t, direct('one'), true);
  for (const body of ['two', 'three', 'four']) {
    await writeConfig(configPath, direct(body));
    await answers(address, body);
  }
  t.is(standalone.mesh.listeners.addresses['in'], address);
});

test('a reload changes log level, buffers and the admin endpoint as well', async (t) => {
  const { standalone, configPath } = await proxy(t, {
    ...direct('one'),
    admin: { address: '127.0.0.1:0', token: 'a' },
  });
  const admin = standalone.adminAddress;
  const put = async (token: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`http://${admin}/log-level?level=info`, { method: 'POST', headers })).status;
  };
  t.is(await put('a'), 200);
  await writeConfig(configPath, {
    ...direct('one'),
    admin: { address: '127.0.0.1:0', token: 'b' },
    log: { level: 'debug' },
    buffers: { limitBytes: 12_345_678 },
  });
  t.true((await standalone.reload()).applied);
  t.is(standalone.adminAddress, admin);
  t.is(await put('a'), 401);
  t.is(await (await fetch(`http://${admin}/log-level`)).text(), 'debug\n');
  t.is(standalone.mesh.runtime.codec.budget.limitBytes, 12_345_678);
  await writeConfig(configPath, direct('one'));
  t.true((await standalone.reload()).applied);
  t.is(standalone.adminAddress, '');
  await t.throwsAsync(fetch(`http://${admin}/ready`));
});

test('SIGTERM under load: every request that was sent is answered, then the process ends with 0', async (t) => {
  const { address: host } = await upstream(
    t,
    (_incoming, response) => void setImmediate(() => response.end('ok')),
  );
  const first = await proxyProcess(t, gateway(host), ['--drain-ms', '20000']);
  const failures: string[] = [];
  let served = 0;
  let isStopping = false;
  const loop = async (keepsAlive: boolean): Promise<void> => {
    const dispatcher = new Agent({ connections: 1, pipelining: keepsAlive ? 1 : 0 });
    for (;;) {
      try {
        const { statusCode, body } = await request(`http://${first.address}/`, { dispatcher });
        const text = await body.text();
        if (statusCode !== 200 || text !== 'ok') failures.push(`${statusCode} ${text}`);
        served++;
      } catch (thrown) {
        const code = (thrown as { code?: string }).code ?? '';
        // A refused connection is how a client learns to go elsewhere. One that the kernel had set up and nobody had
        // accepted when the port closed is reset: no process can prevent that, so it counts for new connections only.
        const isNewcomer = !keepsAlive && code === 'ECONNRESET';
        if (!isStopping || (code !== 'ECONNREFUSED' && !isNewcomer)) failures.push(String(thrown));
        break;
      }
    }
    await dispatcher.close();
  };
  const loops = Array.from({ length: 24 }, (_, i) => loop(i % 3 !== 0));
  await eventually(() => served > 500, 'load');
  isStopping = true;
  first.child.kill('SIGTERM');
  t.deepEqual(await within(first.exited, 'the end of the process'), [0, null]);
  await within(Promise.all(loops), 'the end of the load');
  t.deepEqual(failures, []);
  t.log(`${served} requests`);
});

test('SIGTERM waits for what runs; SIGINT drains, a second one stops at once', async (t) => {
  const held: (() => void)[] = [];
  const { address: host } = await upstream(t, (_incoming, response) => {
    held.push(() => response.end('late'));
  });
  const patient = await proxyProcess(t, gateway(host));
  const answer = bodyAt(patient.address);
  await eventually(() => held.length === 1, 'the request at the upstream');
  patient.child.kill('SIGTERM');
  await eventually(async () => !(await canConnect(patient.address)), 'the port closes');
  t.is(patient.child.exitCode, null);
  held[0]?.();
  t.is(await within(answer, 'the answer'), 'late');
  t.deepEqual(await within(patient.exited, 'the end'), [0, null]);
  const hasty = await proxyProcess(t, gateway(host));
  const lost = t.throwsAsync(bodyAt(hasty.address));
  await eventually(() => held.length === 2, 'the second request');
  hasty.child.kill('SIGINT');
  await eventually(async () => !(await canConnect(hasty.address)), 'the port closes');
  t.is(hasty.child.exitCode, null);
  hasty.child.kill('SIGINT');
  await lost;
  t.deepEqual(await within(hasty.exited, 'the end'), [0, null]);
});

async function canConnect(address: string): Promise<boolean> {
  using raw = new Raw(address);
  return await new Promise((resolve) => {
    raw.socket.once('connect', () => resolve(true));
    raw.socket.once('error', () => resolve(false));
  });
}

test('access logs hold one right line a request, under load and over a rotation with SIGHUP', async (t) => {
  const { address: host } = await upstream(t, (incoming, response) => void response.end(incoming.url));
  const path = join(await folder(t), 'access.log');
  const accessLog = [
    { path, json: { path: '%REQ(:PATH)%', status: '%RESPONSE_CODE%', bytes: '%BYTES_SENT%' } },
  ];
  const child = await proxyProcess(t, gateway(host, { accessLog }), ['--no-watch']);
  const dispatcher = new Agent({ connections: 16 });
  t.teardown(() => dispatcher.close());
  const total = 600;
  let next = 0;
  const loop = async (): Promise<void> => {
    while (next < total) {
      const url = `/r/${next++}`;
      if (next === total / 2) {
        await rename(path, `${path}.1`);
        child.child.kill('SIGHUP');
      }
      const { body } = await request(`http://${child.address}${url}`, { dispatcher });
      t.is(await body.text(), url);
    }
  };
  await within(Promise.all(Array.from({ length: 16 }, loop)), 'the load');
  child.child.kill('SIGTERM');
  t.deepEqual(await within(child.exited, 'the end'), [0, null]);
  const read = async (file: string) =>
    (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { path: string; status: number; bytes: number });
  const [before, after] = [await read(`${path}.1`), await read(path)];
  t.true(before.length > 0 && after.length > 0, `${before.length} and ${after.length} lines`);
  const lines = [...before, ...after];
  t.true(lines.every((line) => Number(line.status) === 200 && Number(line.bytes) === line.path.length));
  t.deepEqual(
    lines.map((line) => Number(line.path.slice(3))).sort((a, b) => a - b),
    Array.from({ length: total }, (_, i) => i),
  );
});
