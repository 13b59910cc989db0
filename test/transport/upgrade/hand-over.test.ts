import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { EchoClient, http, lines, type Protocol } from './echo-client.ts';

const serverPath = join(import.meta.dirname, '../../fixtures/hand-over-server.ts');

interface Upgraded {
  readonly moved: number;
  readonly left: number;
  readonly tookMs: number;
  readonly pid: number;
}

/** The next message of the server that has `key`. */
function message<Value>(server: ChildProcess, key: string): Promise<Value> {
  const { promise, resolve, reject } = Promise.withResolvers<Value>();
  const timer = setTimeout(() => reject(new Error(`no "${key}" within 40 s`)), 40_000);
  const take = (each: unknown): void => {
    if (typeof each !== 'object' || each === null || !(key in each)) return;
    clearTimeout(timer);
    server.off('message', take);
    resolve((each as Record<string, Value>)[key] as Value);
  };
  server.once('exit', (code) => reject(new Error(`the server ended with ${code} before "${key}"`)));
  server.on('message', take);
  return promise;
}

const turn = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function waitFor(isTrue: () => boolean, what: string): Promise<void> {
  for (let passedMs = 0; !isTrue(); passedMs += 10) {
    if (passedMs > 30_000) throw new Error(`not within 30 s: ${what}`);
    await turn(10);
  }
}

async function moveAll(
  t: ExecutionContext,
  codec: string,
  protocol: Protocol,
  count: number,
  window: number,
  at = '127.0.0.1:0',
): Promise<void> {
  const server = fork(serverPath, [codec, 'first', '0', at], {
    serialization: 'advanced',
  });
  t.teardown(() => {
    if (server.connected) server.disconnect();
  });
  const address = await message<string>(server, 'address');
  // Every tenth asks again at once, the others ten times a second: busy and idle ones, and a load two cores can bear.
  const clients = Array.from({ length: count }, (_, i) => {
    return new EchoClient(address, `c${i}`, protocol, window, i % 10 !== 0);
  });
  const ticks = setInterval(() => {
    for (const each of clients) each.fill();
  }, 100);
  t.teardown(() => {
    clearInterval(ticks);
    for (const each of clients) each.destroy();
  });
  await waitFor(() => clients.every((each) => each.answered > 2), 'every connection carries traffic');

  const upgraded = message<Upgraded>(server, 'upgraded');
  server.send('upgrade');
  // New connections go on all the while.
  const newcomers: EchoClient[] = [];
  let isOver = false;
  upgraded.then(
    () => {
      isOver = true;
    },
    () => {
      isOver = true;
    },
  );
  while (!isOver) {
    newcomers.push(new EchoClient(address, `n${newcomers.length}`, protocol, 1));
    await turn(20);
  }
  const result = await upgraded;
  const all = [...clients, ...newcomers];
  const seen = clients.map((each) => each.answered);
  await waitFor(
    () => clients.every((each, i) => each.answered > (seen[i] as number) + window + 2),
    'all go on',
  );
  for (const each of all) each.stop();
  await Promise.all(all.map((each) => each.done));

  t.deepEqual(
    all.flatMap((each) => each.problems),
    [],
  );
  t.is(all.filter((each) => each.closedEarly).length, 0, 'no connection was closed or reset');
  t.is(
    all.reduce((sum, each) => sum + each.sent - each.answered, 0),
    0,
    'nothing was lost',
  );
  t.is(
    clients.filter((each) => each.pid !== result.pid).length,
    0,
    'the new process serves every connection',
  );
  t.is(result.left, 0);
  t.true(result.moved >= count, `${result.moved} moved`);
  const answers = all.reduce((sum, each) => sum + each.answered, 0);
  t.log(
    `${result.moved} connections moved in ${Math.round(result.tookMs)} ms under ${answers} requests, ${newcomers.length} new ones`,
  );
}

test.serial(
  '1,000 live connections with a session each move to another process under traffic and go on',
  async (t) => {
    t.timeout(60_000);
    await moveAll(t, 'test-bound', lines, 1000, 2);
  },
);

test.serial('keep-alive HTTP/1.1 connections move too, with half a request already there', async (t) => {
  await moveAll(t, 'http1', http, 200, 1);
});

test.serial('pipelining HTTP/1.1 clients never see the move', async (t) => {
  await moveAll(t, 'http1', http, 100, 3);
});

test.serial('a unix socket and its path move like a port', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'heddle-upgrade-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  await moveAll(t, 'test-bound', lines, 50, 1, `unix:${join(directory, 'a.sock')}`);
});

test.serial(
  'when the new process dies half-way, the connections that were not moved stay where they are',
  async (t) => {
    const server = fork(serverPath, ['test-bound'], {
      serialization: 'advanced',
    });
    t.teardown(() => {
      if (server.connected) server.disconnect();
    });
    const address = await message<string>(server, 'address');
    const clients = Array.from({ length: 100 }, (_, i) => new EchoClient(address, `c${i}`, lines, 1));
    t.teardown(() => {
      for (const each of clients) each.destroy();
    });
    await waitFor(() => clients.every((each) => each.answered > 2), 'every connection carries traffic');
    const upgraded = message<Upgraded>(server, 'upgraded');
    server.send('upgrade-crash');
    const { moved, left } = await upgraded;
    t.true(moved >= 40 && left > 0, `${moved} moved, ${left} stayed`);
    await waitFor(
      () => clients.filter((each) => each.closedEarly).length >= 100 - left,
      'the moved ones are gone',
    );
    const alive = clients.filter((each) => !each.closedEarly);
    t.is(alive.length, left, 'all that were not moved live');
    t.true(100 - left - moved <= 1, 'at most the one under way went down with it');
    const seen = alive.map((each) => each.answered);
    await waitFor(() => alive.every((each, i) => each.answered > (seen[i] as number) + 3), 'they go on');
    const newcomer = new EchoClient(address, 'n', lines, 1);
    await waitFor(() => newcomer.answered > 2, 'new connections are accepted again');
    for (const each of [...alive, newcomer]) each.stop();
    await Promise.all([...alive, newcomer].map((each) => each.done));
    t.deepEqual(
      [...alive, newcomer].flatMap((each) => each.problems),
      [],
    );
  },
);
