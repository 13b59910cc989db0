import { once } from 'node:events';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { Capture } from '../../src/core/contract/sink.ts';
import { encodePprof, ProfileBuilder } from '../../src/diagnostics/pprof/index.ts';
import { createSink } from '../../src/diagnostics/sinks/create.ts';
import { SinkQueue } from '../../src/diagnostics/sinks/queue.ts';

interface Received {
  readonly request: IncomingMessage;
  readonly body: Buffer;
}

/** A server that keeps what it gets and answers as told. */
async function receiver(
  status = 200,
  answer = '{"code":1}',
): Promise<{ url: string; received: Received[]; server: Server }> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ request, body: Buffer.concat(chunks) });
    response.writeHead(status).end(answer);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received, server };
}

function makeCapture(): Capture {
  const directory = mkdtempSync(join(tmpdir(), 'heddle-sink-'));
  const builder = new ProfileBuilder([{ type: 'cpu', unit: 'nanoseconds' }]);
  builder.add(builder.path([builder.frame({ name: 'spin', url: 'file:///a.js', line: 1, column: 1 })]), [5]);
  const path = join(directory, 'cpu.pb.gz');
  const bytes = encodePprof(builder.build({ kind: 'cpu', startMs: 1, durationMs: 5 }));
  writeFileSync(path, bytes);
  const page = join(directory, 'page.md');
  writeFileSync(page, '# page');
  const file = { sizeBytes: bytes.length, threadId: 0, window: 'during' } as const;
  const trigger = {
    rule: 'stall',
    signal: 'stallMs',
    reason: 'why not',
    current: 1,
    average: 0,
    settings: {},
    previous: [],
    atMs: 1,
  };
  return {
    schema: 1,
    id: 'c1',
    eventId: 'e7',
    service: 'shop',
    pid: 42,
    startMs: 1_700_000_000_000,
    durationMs: 5000,
    labels: { zone: 'a' },
    trigger,
    files: [
      { ...file, name: 'cpu.pb.gz', path, kind: 'cpu', format: 'pprof' },
      { ...file, name: 'page.md', path: page, kind: 'verdict', format: 'markdown', window: 'none' },
    ],
    verdict: { cause: { name: 'sync-work' } },
  };
}
const limits = { headers: {}, timeoutMs: 5000 };
const never = new AbortController().signal;

test('the webhook gets the page as JSON with its token', async (t) => {
  const { url, received, server } = await receiver();
  await createSink({ type: 'http', url, shape: 'webhook', token: 'secret', ...limits }, 'shop').deliver(
    makeCapture(),
    never,
  );
  t.is(received[0]?.request.headers.authorization, 'Bearer secret');
  t.is((JSON.parse(String(received[0]?.body)) as Capture).eventId, 'e7');
  server.close();
});

test("holmes' receiver gets one form a profile with holmes' fields, and its refusal is an error", async (t) => {
  const { url, received, server } = await receiver();
  await createSink({ type: 'http', url, shape: 'holmes', token: 'secret', ...limits }, 'shop').deliver(
    makeCapture(),
    never,
  );
  const form = String(received[0]?.body);
  for (const part of [
    'name="profile"; filename="go-pprof-profile"',
    'name="token"',
    'name="profile_type"',
    'name="event_id"',
    'name="comment"',
  ]) {
    t.true(form.includes(part), part);
  }
  t.true(form.includes('why not') && form.includes('e7'));
  server.close();
  const refusing = await receiver(200, '{"code":2,"message":"no room"}');
  const sink = createSink({ type: 'http', url: refusing.url, shape: 'holmes', ...limits }, 'shop');
  await t.throwsAsync(sink.deliver(makeCapture(), never), { message: /code 2, no room/ });
  refusing.server.close();
});

test('Pyroscope gets the profile with its types, time and tags', async (t) => {
  const { url, received, server } = await receiver();
  const sink = createSink(
    { type: 'pyroscope', url, application: 'app{region=eu}', authToken: 'secret', tenantId: 'me', ...limits },
    'shop',
  );
  await sink.deliver(makeCapture(), never);
  const asked = new URL(received[0]?.request.url ?? '', url);
  t.is(asked.pathname, '/ingest');
  t.regex(asked.searchParams.get('name') ?? '', /^app\{region=eu,zone=a,trigger=stall,thread=0,kind=cpu\}$/);
  const twice = { type: 'pyroscope', url, application: 'app{zone=b, kind=mine}', ...limits } as const;
  await createSink(twice, 'shop').deliver(makeCapture(), never);
  const again = new URL(received.at(-1)?.request.url ?? '', url).searchParams.get('name');
  t.is(again, 'app{zone=b,kind=mine,trigger=stall,thread=0}', 'a tag stands there once');
  t.is(asked.searchParams.get('from'), '1700000000');
  t.is(asked.searchParams.get('until'), '1700000005');
  t.is(received[0]?.request.headers['x-scope-orgid'], 'me');
  t.true(String(received[0]?.body).includes('"cpu":{"units":"nanoseconds"'));
  server.close();
});

test('user and password of an address go into the header', async (t) => {
  const { url, received, server } = await receiver();
  const secret = url.replace('http://', 'http://me:a%3Ab@');
  await createSink({ type: 'otlp', url: secret, ...limits }, 'shop').deliver(makeCapture(), never);
  const { authorization } = received[0]?.request.headers ?? {};
  t.is(authorization, `Basic ${Buffer.from('me:a:b').toString('base64')}`);
  server.close();
});

test('a receiver that cannot be reached is named with the reason, and without credentials', async (t) => {
  const { url, server } = await receiver();
  server.close();
  await once(server, 'close');
  const sink = createSink({ type: 'http', url: `${url}/in?key=hidden`, shape: 'webhook', ...limits }, 'shop');
  const error = await t.throwsAsync(sink.deliver(makeCapture(), never), {
    message: /^POST http:\/\/127\.0\.0\.1:\d+\/in: connect ECONNREFUSED 127/,
  });
  t.notRegex(String(error?.message), /hidden/);
});

test('an OTLP collector gets protobuf at the path of profiles', async (t) => {
  const { url, received, server } = await receiver();
  await createSink({ type: 'otlp', url, ...limits }, 'shop').deliver(makeCapture(), never);
  t.is(received[0]?.request.url, '/v1development/profiles');
  t.is(received[0]?.request.headers['content-type'], 'application/x-protobuf');
  t.true(String(received[0]?.body).includes('spin'));
  server.close();
});

test('a directory gets private copies', async (t) => {
  const path = join(mkdtempSync(join(tmpdir(), 'heddle-sink-')), 'copies');
  await createSink({ type: 'directory', path }, 'shop').deliver(makeCapture(), never);
  t.is(statSync(join(path, 'cpu.pb.gz')).mode & 0o777, 0o600);
});

test('a command runs without a shell, and its failure carries what it said', async (t) => {
  const out = join(mkdtempSync(join(tmpdir(), 'heddle-sink-')), 'out');
  const script = `require('fs').writeFileSync(${JSON.stringify(out)}, process.argv.slice(1).join(' '))`;
  const command = [process.execPath, '-e', script, '{cause}', '{rule}; touch x', '{unknown}'];
  await createSink({ type: 'command', command, timeoutMs: 10_000 }, 'shop').deliver(makeCapture(), never);
  t.is(readFileSync(out, 'utf8'), 'sync-work stall; touch x {unknown}');
  const failing = [process.execPath, '-e', 'console.error("no"); process.exit(3)'];
  const sink = createSink({ type: 'command', command: failing, timeoutMs: 10_000 }, 'shop');
  await t.throwsAsync(sink.deliver(makeCapture(), never), { message: /ended with 3: no/ });
});

test('a failing sink is counted and told without its secrets, and a slow one loses what does not fit', async (t) => {
  const { url, received, server } = await receiver(500, 'broken');
  const told: string[] = [];
  const queue = new SinkQueue(
    [{ type: 'http', url: `${url}/x?key=secret`, shape: 'webhook', token: 'hidden', ...limits }],
    'shop',
    (text) => told.push(text),
  );
  for (let index = 0; index < 40; index++) queue.push(makeCapture());
  await new Promise<void>((resolve) => {
    const look = (): unknown => (received.length >= 1 && told.length >= 1 ? resolve() : setImmediate(look));
    look();
  });
  t.regex(told[0] ?? '', /^sink http-webhook: POST http:\/\/127\.0\.0\.1:\d+\/x answered 500: broken$/);
  t.true((queue.counters()['sinkDropped'] ?? 0) >= 7);
  await queue.close();
  t.true((queue.counters()['sinkFailed'] ?? 0) >= 1);
  server.closeAllConnections();
  server.close();
});
