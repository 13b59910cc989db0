import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { echo, eventually, upstream, within } from '../mesh/support.ts';
import { folder, gateway, type ProxyProcess, proxyProcess, Raw, writeConfig } from './support.ts';

// Each proxy here is three processes: compiling the sources once is enough.
process.env['NODE_COMPILE_CACHE'] = 'node_modules/.cache/v8';

const admin = { address: '127.0.0.1:0', token: 't' };

const direct = (body: string, address = '127.0.0.1:0', name = 'in') => ({
  name,
  address,
  virtualHosts: [
    { name: 'all', domains: ['*'], routes: [{ match: {}, directResponse: { status: 200, body } }] },
  ],
});

interface WorkerFacts {
  readonly worker: number;
  readonly pid: number;
  readonly state: string;
  readonly restarts: number;
  readonly connections: number;
}

async function ask<Body>(proxy: ProxyProcess, path: string): Promise<Body> {
  return (await fetch(`http://${proxy.admin}/${path}`)).json() as Promise<Body>;
}

const workersOf = (proxy: ProxyProcess): Promise<WorkerFacts[]> => ask(proxy, 'workers');

async function requestsOf(proxy: ProxyProcess): Promise<number> {
  const stats = await ask<Record<string, number>>(proxy, 'stats?filter=heddle_downstream_requests_total');
  return stats['heddle_downstream_requests_total{listener=in}'] ?? 0;
}

const bodyAt = async (address: string): Promise<string> => (await fetch(`http://${address}/`)).text();

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const head = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';

/** Open connections that have had an answer each. */
async function keepAlive(t: ExecutionContext, address: string, count: number): Promise<Raw[]> {
  const all = Array.from({ length: count }, () => new Raw(address));
  t.teardown(() => {
    for (const each of all) each[Symbol.dispose]();
  });
  await Promise.all(all.map((each) => each.send(head).until(/200 OK[\s\S]*\r\n\r\n/)));
  return all;
}

test.serial(
  '64 keep-alive connections are shared out evenly, also among workers of which one is new, and counted exactly',
  async (t) => {
    const proxy = await proxyProcess(t, { listeners: [direct('x')], admin }, ['--workers', '2']);
    const first = await keepAlive(t, proxy.address, 64);
    const [listener] = await ask<{ connections: number; ofWorkers: number[] }[]>(proxy, 'listeners');
    t.deepEqual(listener?.ofWorkers, [32, 32]);
    t.is(listener?.connections, 64);
    t.is(await requestsOf(proxy), 64);
    for (const each of first.slice(0, 20)) each[Symbol.dispose]();
    await eventually(
      async () => (await requestsOf(proxy)) === 64 && (await connectionsOf(proxy)) === 44,
      '44 stay',
    );
    const before = await workersOf(proxy);
    process.kill(before[0]?.pid ?? 0, 'SIGKILL');
    await eventually(async () => (await workersOf(proxy))[0]?.restarts === 1, 'the replacement is known');
    await eventually(async () => (await workersOf(proxy))[0]?.state === 'serving', 'the replacement serves');
    await keepAlive(t, proxy.address, 64 - (await connectionsOf(proxy)));
    await eventually(async () => (await connectionsOf(proxy)) === 64, '64 again');
    const counts = (await workersOf(proxy)).map((each) => each.connections);
    t.true(Math.max(...counts) <= 37, `${counts}`);
  },
);

const connectionsOf = async (proxy: ProxyProcess): Promise<number> =>
  (await workersOf(proxy)).reduce((sum, each) => sum + each.connections, 0);

test.serial(
  'a worker that is killed is replaced without a refused connection, and its counts stay',
  async (t) => {
    const proxy = await proxyProcess(t, { listeners: [direct('x')], admin }, ['--workers', '2']);
    for (let i = 0; i < 20; i++) t.is(await bodyAt(proxy.address), 'x');
    t.is(await requestsOf(proxy), 20);
    const before = await workersOf(proxy);
    const outcomes = { ok: 0, reset: 0, refused: 0 };
    let isOver = false;
    const loop = async (): Promise<void> => {
      while (!isOver) {
        const raw = new Raw(proxy.address);
        raw.socket.on('error', (error: NodeJS.ErrnoException) => {
          if (error.code === 'ECONNREFUSED') outcomes.refused++;
        });
        const text = await raw.send('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n').whole();
        if (text.startsWith('HTTP/1.1 200')) outcomes.ok++;
        else outcomes.reset++;
        raw.socket.destroy();
      }
    };
    const loops = Array.from({ length: 4 }, loop);
    await eventually(() => outcomes.ok > 50, 'load');
    process.kill(before[1]?.pid ?? 0, 'SIGKILL');
    await eventually(async () => {
      const [, second] = await workersOf(proxy);
      return second?.restarts === 1 && second.state === 'serving' && second.pid !== before[1]?.pid;
    }, 'a replacement');
    isOver = true;
    await within(Promise.all(loops), 'the end of the load');
    t.is(outcomes.refused, 0);
    // Only what the dead process had in its hands: at most one of each loop.
    t.true(outcomes.reset <= loops.length, `${outcomes.reset} reset of ${outcomes.ok}`);
    t.true((await requestsOf(proxy)) >= 20, 'what the dead worker counted is kept');
    t.regex(proxy.log(), /"a worker ended"[^\n]*SIGKILL/);
    t.regex(
      await (await fetch(`http://${proxy.admin}/metrics`)).text(),
      /^heddle_downstream_requests_total/m,
    );
  },
);

test.serial('with one worker, connections wait for its replacement', async (t) => {
  const proxy = await proxyProcess(t, { listeners: [direct('x')], admin }, ['--workers', '1']);
  const [worker] = await workersOf(proxy);
  process.kill(worker?.pid ?? 0, 'SIGKILL');
  await eventually(() => !isAlive(worker?.pid ?? 0), 'its end');
  t.is(await within(bodyAt(proxy.address), 'an answer of the next one', 20_000), 'x');
});

test.serial(
  'a reload reaches all workers or none: listeners come, move and go, and nobody is refused',
  async (t) => {
    const listeners = [direct('one'), direct('gone', '127.0.0.1:0', 'out')];
    const proxy = await proxyProcess(t, { listeners, admin }, ['--workers', '2', '--no-watch']);
    const connections = await keepAlive(t, proxy.address, 4);
    const answers = async (): Promise<string> => {
      for (const each of connections) each.text = '';
      const texts = await Promise.all(connections.map((each) => each.send(head).until(/\r\n\r\n.+/)));
      return [...new Set(texts.map((text) => text.split('\r\n\r\n')[1]))].join();
    };
    const path = join(await folder(t), 'other.sock');
    const next = [direct('two', proxy.address), direct('new', `unix:${path}`, 'added')];
    await writeConfig(proxy.configPath, { listeners: next, admin });
    proxy.child.kill('SIGHUP');
    await eventually(async () => (await answers()) === 'two', 'all connections get the new answer');
    await within(new Raw(`unix:${path}`).send(head).until(/new/), 'the new listener');
    const gone = proxy.listeners['out']?.split(':')[1] ?? '';
    const [error] = await once(connect({ host: '127.0.0.1', port: Number(gone) }), 'error');
    t.is((error as { code?: string }).code, 'ECONNREFUSED');

    const bad = { ...direct('three', proxy.address), accessLog: [{ path: '/nowhere/at/all.log' }] };
    await writeConfig(proxy.configPath, { listeners: [bad, direct('x', '127.0.0.1:0', 'more')], admin });
    proxy.child.kill('SIGHUP');
    await eventually(() => /reload failed[^\n]*nowhere/.test(proxy.log()), 'the refusal is logged');
    t.is(await answers(), 'two');
    const dump = await ask<{ listeners: { name: string }[] }>(proxy, 'config_dump');
    t.deepEqual(
      dump.listeners.map((each) => each.name),
      ['in', 'added'],
    );
    await writeConfig(proxy.configPath, { listeners: [direct('four', proxy.address)], admin });
    proxy.child.kill('SIGHUP');
    await eventually(async () => (await answers()) === 'four', 'the next good one is taken over');
  },
);

test.serial(
  'SIGTERM drains all workers; a second SIGINT ends them at once; none outlives a supervisor that is killed',
  async (t) => {
    const held: (() => void)[] = [];
    const { address: host } = await upstream(t, (_incoming, response) => {
      held.push(() => response.end('late'));
    });
    const config = { ...gateway(host), admin };
    const [patient, hasty, orphaned] = await Promise.all([
      proxyProcess(t, config, ['--workers', '2']),
      proxyProcess(t, config, ['--workers', '2']),
      proxyProcess(t, config, ['--workers', '2']),
    ]);
    const pids = await Promise.all([patient, hasty, orphaned].map(workersOf));
    const answers = Promise.all([bodyAt(patient.address), bodyAt(patient.address)]);
    await eventually(() => held.length === 2, 'both requests are at the upstream');
    patient.child.kill('SIGTERM');
    await eventually(async () => !(await canConnect(patient.address)), 'the port closes');
    t.is((await fetch(`http://${patient.admin}/ready`)).status, 503);
    t.is(patient.child.exitCode, null);
    for (const finish of held) finish();
    t.deepEqual(await within(answers, 'the answers'), ['late', 'late']);
    t.deepEqual(await within(patient.exited, 'the end'), [0, null]);

    const lost = t.throwsAsync(bodyAt(hasty.address));
    await eventually(() => held.length === 3, 'the third request');
    hasty.child.kill('SIGINT');
    await eventually(async () => !(await canConnect(hasty.address)), 'the port closes');
    hasty.child.kill('SIGINT');
    await lost;
    t.deepEqual(await within(hasty.exited, 'the end'), [0, null]);

    orphaned.child.kill('SIGKILL');
    await eventually(() => pids.flat().every(({ pid }) => !isAlive(pid)), 'no worker is left');
  },
);

async function canConnect(address: string): Promise<boolean> {
  using raw = new Raw(address);
  return await new Promise((resolve) => {
    raw.socket.once('connect', () => resolve(true));
    raw.socket.once('error', () => resolve(false));
  });
}

test.serial('datagrams of one client stay with one worker', async (t) => {
  const server = createSocket('udp4');
  const sources = new Set<number>();
  server.on('message', (message, from) => {
    sources.add(from.port);
    server.send(message, from.port, from.address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const proxy = await proxyProcess(
    t,
    {
      listeners: [
        {
          name: 'in',
          address: '127.0.0.1:0',
          networkFilters: [{ name: 'udp-proxy', config: { cluster: 'up' } }],
        },
      ],
      clusters: [{ name: 'up', endpoints: [`127.0.0.1:${server.address().port}`] }],
      admin,
    },
    ['--workers', '2'],
  );
  const [, port] = proxy.address.split(':');
  const clients = Array.from({ length: 16 }, () => createSocket('udp4'));
  t.teardown(() => {
    for (const each of clients) each.close();
  });
  for (let round = 0; round < 3; round++) {
    await Promise.all(
      clients.map(async (client) => {
        const answer = once(client, 'message');
        client.send('ping', Number(port), '127.0.0.1');
        const [message] = await within(answer, 'an echo');
        t.is(String(message), 'ping');
      }),
    );
  }
  t.is(sources.size, 16, 'one session a client');
  const [listener] = await ask<{ sessions: number; ofWorkers: number[] }[]>(proxy, 'listeners');
  t.is(listener?.sessions, 16);
});

test.serial(
  'limits over all traffic are shared out, and the log level is changed in all workers',
  async (t) => {
    const { address: host } = await upstream(t, echo);
    const bucket = { maxTokens: 10, tokensPerFill: 1, fillIntervalMs: 60_000 };
    const limited = gateway(host, { filters: [{ name: 'local-rate-limit', config: { bucket } }] });
    const proxy = await proxyProcess(t, { ...limited, admin }, ['--workers', '2']);
    const connections = await Promise.all(Array.from({ length: 8 }, () => new Raw(proxy.address)));
    t.teardown(() => {
      for (const each of connections) each.socket.destroy();
    });
    let passed = 0;
    for (let round = 0; round < 4; round++) {
      for (const each of connections) {
        each.text = '';
        if (/ 200 /.test(await each.send(head).until(/\r\n\r\n/))) passed++;
      }
    }
    t.is(passed, 10);
    const [cluster] = await ask<{ name: string; hostStats: unknown[] }[]>(proxy, 'clusters');
    t.is(cluster?.name, 'up');
    t.is(cluster?.hostStats.length, 1);
    const changed = await fetch(`http://${proxy.admin}/log-level?level=debug`, {
      method: 'POST',
      headers: { authorization: 'Bearer t' },
    });
    t.is(await changed.text(), 'debug\n');
    for (const each of connections) each.send('BAD\r\n\r\n');
    await eventually(
      () => /"worker":1/.test(proxy.log()) && /"worker":2/.test(proxy.log()),
      'both workers write debug lines',
    );
  },
);
