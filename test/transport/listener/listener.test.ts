import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { MetricsTable } from '../../../src/core/observe/metrics.ts';
import {
  defaultServerLimits,
  type Exchange,
  emptyPipeline,
  fakeCodecContext,
  fillResponse,
  RecordingSink,
  silentLogger,
  testBound,
} from '../../../src/testing/index.ts';
import { Listener, type ListenerOptions, SystemClock } from '../../../src/transport/index.ts';

const limits = { ...defaultServerLimits, maxConnections: 0, maxConnectionsPerSource: 0, backlog: 511 };

interface Bench extends AsyncDisposable {
  readonly listener: Listener;
  readonly sink: RecordingSink;
  value(name: string, labels?: Record<string, string>): number;
}

/** A listener of the line protocol whose requests are answered with 200 and their path. */
async function listening(options: Partial<ListenerOptions> = {}): Promise<Bench> {
  const sink = new RecordingSink();
  const answer = (exchange: Exchange): void => {
    const s = exchange.stream;
    const body = Buffer.from(exchange.request?.path ?? '');
    fillResponse(s.res, { status: 200, body: [body] });
    s.down?.sendHead(s, s.res, body, 0, body.length, true);
    sink.finish(exchange);
  };
  sink.onRequest = answer;
  const metrics = new MetricsTable();
  const listener = new Listener({
    name: 'ingress',
    address: '127.0.0.1:0',
    codec: testBound,
    codecConfig: {},
    context: { ...fakeCodecContext(sink), metrics, clock: new SystemClock() },
    pipeline: emptyPipeline(),
    limits,
    logger: silentLogger,
    ...options,
  });
  await listener.start();
  return {
    listener,
    sink,
    value: (name, labels = {}) => {
      const series = metrics.snapshot().series.filter((each) => each.name === name);
      const wanted = { listener: 'ingress', ...labels };
      const found = series.find((each) => JSON.stringify(each.labels) === JSON.stringify(wanted));
      return found?.values[0] ?? 0;
    },
    [Symbol.asyncDispose]: () => listener.close(),
  };
}

class Client {
  readonly socket: Socket;
  text = '';
  isClosed = false;
  #wake: () => void = () => {};

  constructor(address: string) {
    const [host, port] = address.startsWith('unix:') ? ['', ''] : address.split(/:(?=\d+$)/);
    this.socket = connect(
      address.startsWith('unix:')
        ? { path: address.slice(5) }
        : { host: (host as string).replace(/[[\]]/g, ''), port: Number(port) },
    );
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk) => {
      this.text += chunk;
      this.#wake();
    });
    this.socket.on('close', () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  async until(isTrue: () => boolean): Promise<void> {
    if (isTrue()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(`not within 5 s: ${isTrue}; got ${this.text}`)), 5000);
    this.#wake = () => {
      if (isTrue()) resolve();
    };
    await promise.finally(() => clearTimeout(timer));
  }

  async ask(path: string): Promise<void> {
    this.text = '';
    this.socket.write(`GET ${path}\n0\n`);
    await this.until(() => this.text.endsWith(`${path}0\n`));
  }
}

function socketPath(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'heddle-listener-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'a.sock');
}

test('requests are served over IPv4, IPv6 and unix sockets, and the address in use is told', async (t) => {
  for (const address of ['127.0.0.1:0', '[::1]:0', `unix:${socketPath(t)}`]) {
    await using bench = await listening({ address });
    t.regex(bench.listener.address, /^(127\.0\.0\.1:\d+|\[::1\]:\d+|unix:.+)$/);
    t.false(bench.listener.address.endsWith(':0'));
    const client = new Client(bench.listener.address);
    await client.ask('/one');
    await client.ask('/two');
    t.is(bench.listener.connectionCount, 1);
    t.is(bench.value('heddle_listener_connections_total'), 1);
    t.is(bench.value('heddle_listener_connections_active'), 1);
    client.socket.end();
    await client.until(() => client.isClosed);
  }
});

test('a taken port, a stranger file and a live unix socket are refused; a stale socket is replaced', async (t) => {
  await using bench = await listening();
  const taken = await t.throwsAsync(listening({ address: bench.listener.address }), {
    code: 'ERR_LISTENER_ADDRESS',
  });
  t.regex(taken?.message ?? '', /EADDRINUSE/);

  const path = socketPath(t);
  writeFileSync(path, 'not a socket');
  await t.throwsAsync(listening({ address: `unix:${path}` }), { code: 'ERR_LISTENER_ADDRESS' });
  rmSync(path);
  await using unix = await listening({ address: `unix:${path}`, mode: 0o600 });
  t.is(statSync(path).mode & 0o777, 0o600);
  await t.throwsAsync(listening({ address: `unix:${path}` }), { code: 'ERR_LISTENER_ADDRESS' });
  t.is(unix.listener.address, `unix:${path}`);
  t.throws(() => new Listener({ address: '99' } as unknown as ListenerOptions), undefined);
});

test('a socket file whose process died is replaced', async (t) => {
  const path = socketPath(t);
  const { spawnSync } = await import('node:child_process');
  const leave = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', leave]);
  t.true(statSync(path).isSocket());
  await using bench = await listening({ address: `unix:${path}` });
  const client = new Client(bench.listener.address);
  await client.ask('/fresh');
  client.socket.destroy();
});

test('connections beyond the limits are closed at accept and counted; room made is room used', async (t) => {
  await using bench = await listening({ limits: { ...limits, maxConnections: 2 } });
  const clients = [new Client(bench.listener.address), new Client(bench.listener.address)];
  for (const each of clients) await each.ask('/in');
  const third = new Client(bench.listener.address);
  await third.until(() => third.isClosed);
  t.is(bench.value('heddle_listener_connections_rejected_total', { reason: 'max_connections' }), 1);
  clients[0]?.socket.destroy();
  while (bench.listener.connectionCount > 1) await new Promise((resolve) => setImmediate(resolve));
  const fourth = new Client(bench.listener.address);
  await fourth.ask('/room');

  await using perSource = await listening({ limits: { ...limits, maxConnectionsPerSource: 1 } });
  const one = new Client(perSource.listener.address);
  await one.ask('/one');
  const two = new Client(perSource.listener.address);
  await two.until(() => two.isClosed);
  const reason = 'max_connections_per_source';
  t.is(perSource.value('heddle_listener_connections_rejected_total', { reason }), 1);
  one.socket.destroy();
  while (perSource.listener.connectionCount > 0) await new Promise((resolve) => setImmediate(resolve));
  const again = new Client(perSource.listener.address);
  await again.ask('/again');
});

test('when file descriptors run out accepting pauses, connections go on, and it resumes on the same port', async (t) => {
  let free = 33;
  await using bench = await listening({ descriptors: { free: () => free } });
  const address = bench.listener.address;
  const first = new Client(address);
  await first.ask('/first');
  // The next looks find nothing left.
  free = 10;
  const more: Client[] = [];
  while (bench.value('heddle_listener_accept_pauses_total') === 0 && more.length < 50) {
    const client = new Client(address);
    more.push(client);
    await client.ask('/more');
  }
  t.is(bench.value('heddle_listener_accept_pauses_total'), 1);
  await first.ask('/still-served');
  const refused = new Client(address);
  await refused.until(() => refused.isClosed);
  free = 1000;
  // The pause lasts 100 ms at first.
  for (let tries = 0; tries < 200; tries++) {
    const probe = new Client(address);
    probe.socket.write('GET /back\n0\n');
    await probe.until(() => probe.isClosed || probe.text.endsWith('/back0\n'));
    if (probe.text !== '') {
      t.is(bench.listener.address, address);
      t.pass();
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  t.fail('accepting was not resumed');
});

test('drain ends idle connections, waits for busy ones, and drops what is left at its deadline', async (t) => {
  await using bench = await listening();
  const idle = new Client(bench.listener.address);
  await idle.ask('/idle');
  const held: Exchange[] = [];
  bench.sink.onRequest = (exchange) => void held.push(exchange);
  const busy = new Client(bench.listener.address);
  busy.socket.write('GET /busy\n0\n');
  const stuck = new Client(bench.listener.address);
  stuck.socket.write('GET /stuck\n0\n');
  while (held.length < 2) await new Promise((resolve) => setImmediate(resolve));
  const address = bench.listener.address;
  const drained = bench.listener.drain(300);
  t.true(bench.listener.isDraining);
  await idle.until(() => idle.isClosed);
  const late = new Client(address);
  await late.until(() => late.isClosed);
  t.is(late.text, '', 'no new connection');
  const served = held.find((each) => each.request?.path === '/busy') as Exchange;
  fillResponse(served.stream.res, { status: 200 });
  served.stream.down?.sendHead(served.stream, served.stream.res, null, 0, 0, true);
  bench.sink.finish(served);
  await busy.until(() => busy.isClosed);
  t.is(busy.text, '200\n0\n');
  t.false(stuck.isClosed);
  await drained;
  await stuck.until(() => stuck.isClosed);
  t.is(bench.listener.connectionCount, 0);
  t.is(bench.value('heddle_listener_connections_active'), 0);
});

test('what breaks the protocol is counted by reason and costs one connection', async (t) => {
  await using bench = await listening();
  const good = new Client(bench.listener.address);
  await good.ask('/good');
  const bad = new Client(bench.listener.address);
  bad.socket.write('\x00\x01\n\n');
  await bad.until(() => bad.isClosed);
  await good.ask('/still-good');
  t.is(bench.value('heddle_listener_protocol_errors_total', { reason: 'downstream_protocol' }), 1);
});

test('a client that sends FIN after its request still gets the answer', async (t) => {
  await using bench = await listening();
  const held: Exchange[] = [];
  bench.sink.onRequest = (exchange) => void held.push(exchange);
  const client = new Client(bench.listener.address);
  client.socket.end('GET /half\n0\n');
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  const s = (held[0] as Exchange).stream;
  fillResponse(s.res, { status: 200 });
  s.down?.sendHead(s, s.res, null, 0, 0, true);
  bench.sink.finish(held[0] as Exchange);
  await client.until(() => client.isClosed);
  t.is(client.text, '200\n0\n');
});

test('update is seen by connections that live', async (t) => {
  await using bench = await listening();
  const client = new Client(bench.listener.address);
  await client.ask('/before');
  const next = emptyPipeline('next');
  bench.listener.update(next, limits);
  await client.ask('/after');
  t.is(bench.sink.exchanges.length, 2);
  t.is(bench.listener.pipeline, next);
});
