import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createDebugHandler } from '../../src/diagnostics/debug-handler.ts';
import type { Monitor } from '../../src/diagnostics/index.ts';

/** A monitor whose captures end when the test says so. */
async function served(t: ExecutionContext) {
  const directory = await mkdtemp(join(tmpdir(), 'heddle-debug-'));
  const path = join(directory, 'heap.pb.gz');
  await writeFile(path, 'profile');
  const started: PromiseWithResolvers<void>[] = [];
  const waits: { reason: string; end: () => void }[] = [];
  const expect = (): Promise<void> => {
    const next = Promise.withResolvers<void>();
    started.push(next);
    return next.promise;
  };
  const capture = (options: { kinds: string[]; reason: string }): Promise<unknown> =>
    new Promise((resolve) => {
      const files = options.kinds.map((kind) => ({ kind, format: 'pprof', threadId: 0, path }));
      waits.push({ reason: options.reason, end: () => resolve({ files }) });
      started.shift()?.resolve();
    });
  const debug = createDebugHandler({ capture } as unknown as Monitor);
  const server = createServer((request, response) => void debug(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true });
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/debug/pprof`;
  return { url, waits, expect, server };
}

test('a puller that asks for several profiles at once gets each of them, one after the other', async (t) => {
  const { url, waits, expect } = await served(t);
  const first = expect();
  const second = expect();
  const answers = [fetch(`${url}/heap`), fetch(`${url}/allocs?seconds=1`)];
  await first;
  t.is(waits.length, 1);
  waits[0]?.end();
  await second;
  t.is(waits.length, 2);
  waits[1]?.end();
  const texts = await Promise.all(answers.map(async (answer) => (await answer).text()));
  t.deepEqual(texts, ['profile', 'profile']);
});

test('the ninth request in the queue is refused with 429', async (t) => {
  const { url, waits, expect } = await served(t);
  const begun = expect();
  const answers = Array.from({ length: 9 }, () => fetch(`${url}/heap`));
  await begun;
  const refused = await Promise.race(answers.map(async (answer) => await answer));
  t.is(refused.status, 429);
  t.regex(await refused.text(), /8 profiles are waited for already/);
  for (let at = 0; at < 8; at++) {
    const next = expect();
    waits[at]?.end();
    if (at < 7) await next;
  }
  const statuses = (await Promise.all(answers)).map((answer) => answer.status).toSorted();
  t.deepEqual(statuses, [...Array<number>(8).fill(200), 429]);
});

test('no profile is taken for a puller that gave up while it waited', async (t) => {
  const { url, waits, expect, server } = await served(t);
  const begun = expect();
  const first = fetch(`${url}/heap`);
  await begun;
  const abort = new AbortController();
  const seen = once(server, 'request');
  const gone = t.throwsAsync(fetch(`${url}/allocs`, { signal: abort.signal }));
  const [, response] = (await seen) as [unknown, NodeJS.EventEmitter];
  const closed = once(response, 'close');
  abort.abort();
  await gone;
  await closed;
  const last = expect();
  const third = fetch(`${url}/goroutine`);
  waits[0]?.end();
  await last;
  t.deepEqual(
    waits.map((wait) => wait.reason),
    ['GET /debug/pprof/heap', 'GET /debug/pprof/goroutine'],
  );
  waits[1]?.end();
  t.is((await first).status, 200);
  t.is((await third).status, 200);
});
