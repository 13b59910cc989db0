import test from 'ava';
import { Code } from '../../../src/core/base/codes.ts';
import { tcpProxy } from '../../../src/transport/network-filters/tcp-proxy/index.ts';
import { FakeCluster, type Far, NetworkBench } from './bench.ts';

interface Bench extends NetworkBench {
  cluster: FakeCluster;
}

function benchOf(addresses = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80']): Bench {
  const cluster = new FakeCluster(addresses);
  const bench = Object.assign(new NetworkBench(), { cluster });
  bench.clusters.set('db', cluster);
  return bench;
}

function filterOf(bench: NetworkBench, config: object = { cluster: 'db' }) {
  const result = tcpProxy.config['~standard'].validate(config);
  if (result instanceof Promise || result.issues !== undefined)
    throw new Error(JSON.stringify((result as { issues: unknown }).issues));
  return tcpProxy.create(result.value, bench.context);
}

/** A client whose connection is open to the first host. */
async function open(bench: Bench, config?: object) {
  const arrived = bench.accept([filterOf(bench, config)]);
  const dialled = bench.dialled.at(-1);
  if (dialled === undefined) throw new Error('nothing was dialled');
  dialled.link.connect();
  await bench.settle();
  return { ...arrived, host: dialled };
}

const held = (bench: Bench): number[] => [
  bench.cluster.requests,
  bench.cluster.connections,
  bench.cluster.retries,
];

test('bytes go both ways unchanged, each end by itself, and everything is given back', async (t) => {
  const bench = benchOf();
  const { client, host } = await open(bench, { cluster: 'db', accessLog: [{ path: '/l4.log' }] });
  client.send('hello');
  await bench.settle();
  t.is(host.far.text, 'hello');
  host.far.send('welcome');
  client.wire.end();
  await bench.settle();
  t.true(host.far.isEnded);
  t.false(client.isEnded, 'the other direction goes on');
  host.far.send(', stranger');
  host.far.wire.end();
  await bench.settle();
  t.is(client.text, 'welcome, stranger');
  t.true(client.isEnded);
  t.deepEqual(held(bench), [0, 0, 0]);
  t.is(bench.owner.closedCodecs.length, 1);
  t.deepEqual(bench.cluster.reports, [{ address: '10.0.0.1:80', status: 200, code: 0 }]);
  t.is(bench.value('heddle_tcp_bytes_received_total'), 5);
  t.is(bench.value('heddle_tcp_bytes_sent_total'), 17);
  t.is(bench.value('heddle_tcp_connections_active'), 0);
  t.is(bench.value('heddle_tcp_resets_total'), 0);
  await bench.advance(100);
  t.is(
    bench.lines[0],
    '[2026-01-01T00:00:00.000Z] "TCP" 127.0.0.1:40000 127.0.0.1:80 db 10.0.0.1:80 5 17 0 1 none',
  );
});

test('the end of the host is passed on while the client goes on', async (t) => {
  const bench = benchOf();
  const { client, host } = await open(bench);
  host.far.wire.end();
  await bench.settle();
  t.true(client.isEnded);
  client.send('still here');
  await bench.settle();
  t.is(host.far.text, 'still here');
});

test('nothing is read from the client before a host is reached, and an early end arrives in order', async (t) => {
  const bench = benchOf();
  const { client } = bench.accept([filterOf(bench)]);
  client.send('early');
  client.wire.end();
  await bench.settle();
  const host = bench.dialled[0];
  t.is(host?.far.text, '');
  host?.link.connect();
  await bench.settle();
  t.is(host?.far.text, 'early');
  t.true(host?.far.isEnded);
});

test('a host that refuses is followed by another, at most maxConnectAttempts, each host once', async (t) => {
  const bench = benchOf();
  const { client } = bench.accept([filterOf(bench, { cluster: 'db', maxConnectAttempts: 2 })]);
  client.send('x');
  bench.dialled[0]?.link.refuse();
  await bench.settle();
  t.deepEqual(held(bench), [1, 1, 1]);
  t.is(bench.dialled.length, 2);
  t.not(bench.dialled[1]?.address, bench.dialled[0]?.address);
  bench.dialled[1]?.link.refuse(Code.connectTimeout);
  await bench.settle();
  t.is(bench.dialled.length, 2);
  t.not(client.closeCode, -1);
  t.deepEqual(held(bench), [0, 0, 0]);
  t.deepEqual(
    bench.cluster.reports.map((each) => each.code),
    [Code.connectFailure, Code.connectTimeout],
  );
  t.is(bench.value('heddle_tcp_connect_failures_total'), 2);
  t.is(bench.value('heddle_tcp_connect_retries_total'), 1);
});

test('one host is not tried twice, and no retry is made without a permit', async (t) => {
  const alone = benchOf(['10.0.0.1:80']);
  const first = alone.accept([filterOf(alone)]);
  alone.dialled[0]?.link.refuse();
  await alone.settle();
  t.is(alone.dialled.length, 1);
  t.not(first.client.closeCode, -1);
  t.deepEqual(held(alone), [0, 0, 0]);

  const strict = benchOf();
  strict.cluster.maxRetries = 0;
  const second = strict.accept([filterOf(strict)]);
  strict.dialled[0]?.link.refuse();
  await strict.settle();
  t.is(strict.dialled.length, 1);
  t.not(second.client.closeCode, -1);
  t.deepEqual(held(strict), [0, 0, 0]);
});

test('after a retry the bytes reach the second host whole', async (t) => {
  const bench = benchOf();
  const { client } = bench.accept([filterOf(bench)]);
  client.send('once');
  bench.dialled[0]?.link.refuse();
  await bench.settle();
  bench.dialled[1]?.link.connect();
  await bench.settle();
  t.is(bench.dialled[1]?.far.text, 'once');
  t.is(bench.cluster.retries, 0, 'the permit is given back once the retry has come to something');
});

test('no cluster, no host, no connection permit, no matching route: the client is closed and told why', async (t) => {
  const cases: [(bench: Bench) => void, object, string][] = [
    [(bench) => bench.clusters.clear(), { cluster: 'db' }, 'no_cluster'],
    [(bench) => void bench.cluster.hosts.splice(0), { cluster: 'db' }, 'no_host'],
    [
      (bench) => void Object.assign(bench.cluster, { maxConnections: 0 }),
      { cluster: 'db' },
      'connection_overflow',
    ],
    [() => {}, { routes: [{ match: { sources: ['10.0.0.0/8'] }, cluster: 'db' }] }, 'no_route'],
  ];
  for (const [prepare, config, reason] of cases) {
    const bench = benchOf();
    prepare(bench);
    const { client } = bench.accept([filterOf(bench, { ...config, accessLog: [{ path: '/l4.log' }] })]);
    await bench.settle();
    t.not(client.closeCode, -1, reason);
    t.is(bench.dialled.length, 0);
    t.deepEqual(held(bench), [0, 0, 0], reason);
    t.is(bench.owner.closedCodecs.length, 1);
    await bench.advance(100);
    t.true(bench.lines[0]?.endsWith(` ${reason}`), `${reason} in ${bench.lines[0]}`);
  }
});

test('reading pauses where writing is full, both ways, and goes on after the drain', async (t) => {
  const bench = benchOf();
  bench.dialOptions = { ownsReads: false, isConnecting: true, capacityBytes: 1000 };
  const { client, host, link } = await open(bench);
  const block = Buffer.alloc(100_000, 'a');
  (host.link.accepted as { pause(): void }).pause();
  client.send(block);
  client.send(block);
  await bench.settle();
  t.true(link.accepted.isPaused, 'the client is not read any more');
  t.true(host.link.dialled.pending <= 200_000);
  (host.link.accepted as { resume(): void }).resume();
  await bench.settle();
  t.is(host.far.bytes.length, 200_000);
  t.false(link.accepted.isPaused);
});

test('bytes that a slow client has not taken are not written over by those of another', async (t) => {
  const bench = benchOf();
  const filter = filterOf(bench);
  const start = (capacityBytes: number) => {
    const arrived = bench.accept([filter], undefined, { capacityBytes });
    const host = bench.dialled.at(-1);
    host?.link.connect();
    return { ...arrived, host };
  };
  const [slow, quick] = [start(10), start(Number.POSITIVE_INFINITY)];
  await bench.settle();
  slow.client.wire.pause();
  let expected = '';
  for (let i = 0; i < 50; i++) {
    const piece = `slow ${i} ${'s'.repeat(i * 7)};`;
    expected += piece;
    slow.host?.far.send(piece);
    await bench.settle();
    quick.host?.far.send('Q'.repeat(1000));
    await bench.settle();
  }
  slow.client.wire.resume();
  await bench.settle();
  t.is(slow.client.text, expected);
  t.is(quick.client.text, 'Q'.repeat(50_000));
});

test('borrowed bytes of the host arrive unchanged in pieces of any size', async (t) => {
  const bench = benchOf();
  bench.dialOptions = { ownsReads: false, isConnecting: true, split: [1, 7, 4096, 3, 65_536] };
  const { client, host } = await open(bench);
  const sent = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
  host.far.send(sent);
  await bench.settle();
  t.true(client.bytes.equals(sent));
});

test('a connection without a byte is closed after the idle time; any byte puts it off', async (t) => {
  const bench = benchOf();
  const { client, host } = await open(bench, { cluster: 'db', idleTimeoutMs: 1000 });
  await bench.advance(900);
  host.far.send('x');
  await bench.settle();
  await bench.advance(900);
  t.is(client.closeCode, -1);
  await bench.advance(200);
  t.true(client.isEnded);
  t.true(host.far.isEnded);
  t.is(bench.value('heddle_tcp_idle_timeouts_total'), 1);
  t.deepEqual(held(bench), [0, 0, 0]);
  t.is(bench.time.wheel.armed, 0);
});

test('a reset of one side resets the other', async (t) => {
  for (const side of ['client', 'host'] as const) {
    const bench = benchOf();
    const { client, host, link } = await open(bench);
    (side === 'client' ? link : host.link).reset();
    await bench.settle();
    const other: Far = side === 'client' ? host.far : client;
    t.not(other.closeCode, -1, side);
    t.deepEqual(held(bench), [0, 0, 0]);
    t.is(bench.value('heddle_tcp_resets_total'), 1);
    t.is(bench.owner.closedCodecs.length, 1);
  }
});

test('a client that goes away while the host is dialled ends the dialling', async (t) => {
  const bench = benchOf();
  const { link } = bench.accept([filterOf(bench)]);
  link.reset();
  await bench.settle();
  t.deepEqual(held(bench), [0, 0, 0]);
  t.is(bench.dialled.length, 1);
  t.is(bench.owner.closedCodecs.length, 1);
});

test('what the host sent last reaches a client that is still sending', async (t) => {
  const bench = benchOf();
  const { client, host, link } = await open(bench);
  host.far.send('the end');
  host.far.wire.end();
  await bench.settle();
  host.link.reset();
  client.send('more of it');
  await bench.settle();
  t.is(client.text, 'the end');
  t.true(client.isEnded);
  t.is(client.closeCode, -1, 'it may finish');
  await bench.advance(3000);
  t.is(link.accepted.closeCode, Code.streamIdle, 'but not for ever');
  t.deepEqual(held(bench), [0, 0, 0]);
});

test('hosts of a cluster with proxyProtocol are told who the client is, each try anew', async (t) => {
  const bench = benchOf();
  bench.cluster.proxyProtocol = 1;
  const { client } = bench.accept([filterOf(bench)]);
  client.send('hello');
  bench.dialled[0]?.link.refuse();
  await bench.settle();
  bench.dialled[1]?.link.connect();
  await bench.settle();
  t.is(bench.dialled[1]?.far.text, 'PROXY TCP4 127.0.0.1 127.0.0.1 40000 80\r\nhello');
});

test('weighted clusters get their shares, weight 0 nothing', async (t) => {
  const bench = benchOf();
  for (const name of ['a', 'b', 'never']) bench.clusters.set(name, new FakeCluster([`${name}:80`]));
  const filter = filterOf(bench, {
    weightedClusters: [
      { cluster: 'a', weight: 3 },
      { cluster: 'b', weight: 1 },
      { cluster: 'never', weight: 0 },
    ],
  });
  for (let i = 0; i < 4000; i++) bench.accept([filter]);
  const count = (address: string): number => bench.dialled.filter((each) => each.address === address).length;
  t.true(Math.abs(count('a:80') - 3000) < 120, String(count('a:80')));
  t.is(count('a:80') + count('b:80'), 4000);
  t.is(count('never:80'), 0);
});

test('routes look at addresses and ports of both ends, the first match wins', async (t) => {
  const route = (match: object) => ({ match, cluster: 'a' });
  const hits: object[] = [
    { sources: ['127.0.0.0/8'] },
    { sourcePorts: ['39999-40001'] },
    { destinations: ['127.0.0.1'], destinationPorts: ['80'] },
    {},
  ];
  const misses: object[] = [
    { sources: ['10.0.0.0/8', '::/0'] },
    { sourcePorts: ['1-39999'] },
    { destinations: ['127.0.0.1'], destinationPorts: ['81'] },
    { serverNames: ['*'] },
  ];
  for (const match of [...hits, ...misses]) {
    const bench = benchOf();
    bench.clusters.set('a', new FakeCluster(['a:80']));
    const { client } = bench.accept([filterOf(bench, { routes: [route(match)], cluster: 'db' })]);
    // Only a route that looks into a TLS hello waits for bytes.
    client.send('not TLS');
    await bench.settle();
    t.is(bench.dialled[0]?.address === 'a:80', hits.includes(match), JSON.stringify(match));
  }
});

test('a configuration without exactly one target, or with ranges that are none, is refused', (t) => {
  const bad: object[] = [
    {},
    { cluster: 'a', weightedClusters: [{ cluster: 'b' }] },
    { weightedClusters: [{ cluster: 'b', weight: 0 }] },
    { routes: [{ match: {} }] },
    { cluster: 'a', routes: [{ match: { sources: ['10.0.0.0/33'] }, cluster: 'a' }] },
    { cluster: 'a', routes: [{ match: { destinationPorts: ['80-70'] }, cluster: 'a' }] },
    { cluster: 'a', routes: [{ match: { serverNames: ['a.*'] }, cluster: 'a' }] },
    { cluster: 'a', maxConnectAttempts: 0 },
    { cluster: 'a', idleTimeout: 5 },
  ];
  for (const config of bad) {
    const result = tcpProxy.config['~standard'].validate(config);
    t.false(result instanceof Promise || result.issues === undefined, JSON.stringify(config));
  }
});
