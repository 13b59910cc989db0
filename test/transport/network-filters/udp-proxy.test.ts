import test from 'ava';
import type { DatagramEvents, DatagramHandler } from '../../../src/core/contract/network-filter.ts';
import { udpProxy } from '../../../src/transport/network-filters/udp-proxy/index.ts';
import { FakeCluster, NetworkBench } from './bench.ts';

interface Opened {
  readonly address: string;
  readonly events: DatagramEvents;
  readonly sent: string[];
  isClosed: boolean;
}

class UdpBench extends NetworkBench {
  readonly cluster = new FakeCluster(['10.0.0.1:53', '10.0.0.2:53']);
  readonly opened: Opened[] = [];
  readonly replies: string[] = [];
  readonly handler: DatagramHandler;

  constructor(config: object = {}) {
    super();
    this.clusters.set('dns', this.cluster);
    const result = udpProxy.config['~standard'].validate({ cluster: 'dns', ...config });
    if (result instanceof Promise || result.issues !== undefined) throw new Error('bad config');
    const context = {
      ...this.context,
      openDatagrams: (address: string, events: DatagramEvents) => {
        const opened: Opened = { address, events, sent: [], isClosed: false };
        this.opened.push(opened);
        return {
          send: (message: Buffer) => void opened.sent.push(message.toString()),
          close: () => {
            opened.isClosed = true;
          },
        };
      },
    };
    this.handler = udpProxy.createDatagrams?.(result.value, context) as DatagramHandler;
  }

  from(address: string, port: number, message: string): void {
    const peer = { address, port, spiffeId: null, certificateSha256: null, serverName: null };
    this.handler.received(Buffer.from(message), peer, (reply) => void this.replies.push(`${port} ${reply}`));
  }

  get held(): number[] {
    return [this.cluster.requests, this.cluster.connections];
  }

  dropped(reason: string): number {
    return this.value('heddle_udp_datagrams_dropped_total', { listener: 'l4', reason });
  }
}

test('datagrams of one client stay with one host, answers find their way back', (t) => {
  const bench = new UdpBench();
  bench.from('1.1.1.1', 1, 'a');
  bench.from('1.1.1.1', 1, 'b');
  bench.from('1.1.1.1', 2, 'c');
  t.deepEqual(
    bench.opened.map(({ address, sent }) => [address, sent.join()]),
    [
      ['10.0.0.1:53', 'a,b'],
      ['10.0.0.2:53', 'c'],
    ],
  );
  bench.opened[1]?.events.onMessage(Buffer.from('C'));
  bench.opened[0]?.events.onMessage(Buffer.from('A'));
  bench.opened[0]?.events.onMessage(Buffer.from('B'));
  t.deepEqual(bench.replies, ['2 C', '1 A', '1 B']);
  t.deepEqual(bench.held, [2, 2]);
  t.is(bench.value('heddle_udp_sessions_active'), 2);
  t.is(bench.value('heddle_udp_datagrams_received_total'), 3);
  t.is(bench.value('heddle_udp_bytes_sent_total'), 3);
  t.deepEqual(
    bench.cluster.reports.map((each) => each.status),
    [200, 200],
  );
});

test('a session ends when it is idle; datagrams of either side put that off', async (t) => {
  const bench = new UdpBench({ idleTimeoutMs: 1000 });
  bench.from('1.1.1.1', 1, 'a');
  await bench.advance(900);
  bench.opened[0]?.events.onMessage(Buffer.from('A'));
  await bench.advance(900);
  bench.from('1.1.1.1', 1, 'b');
  await bench.advance(900);
  t.is(bench.handler.sessions, 1);
  await bench.advance(200);
  t.is(bench.handler.sessions, 0);
  t.true(bench.opened[0]?.isClosed);
  t.deepEqual(bench.held, [0, 0]);
  t.is(bench.time.wheel.armed, 0);
  bench.opened[0]?.events.onMessage(Buffer.from('late'));
  t.is(bench.replies.length, 1);
});

test('a flood under false addresses is bounded and does not lock out clients that are answered', (t) => {
  const bench = new UdpBench({ maxSessions: 100 });
  bench.from('9.9.9.9', 9, 'mine');
  bench.opened[0]?.events.onMessage(Buffer.from('yours'));
  for (let i = 0; i < 10_000; i++) bench.from(`10.${i >> 8}.${i & 255}.1`, 1000, 'flood');
  t.is(bench.handler.sessions, 100);
  t.is(bench.opened.filter((each) => !each.isClosed).length, 100);
  t.is(bench.value('heddle_udp_sessions_evicted_total'), 9901);
  bench.from('9.9.9.9', 9, 'again');
  t.deepEqual(bench.opened[0]?.sent, ['mine', 'again']);
  t.deepEqual(bench.held, [100, 100]);
});

test('when all sessions are answered a new one has to wait', (t) => {
  const bench = new UdpBench({ maxSessions: 2 });
  for (const port of [1, 2]) {
    bench.from('1.1.1.1', port, 'x');
    bench.opened.at(-1)?.events.onMessage(Buffer.from('y'));
  }
  bench.from('1.1.1.1', 3, 'x');
  t.is(bench.handler.sessions, 2);
  t.is(bench.dropped('session_limit'), 1);
});

test('one address has no more than its share of sessions, and gets places back', async (t) => {
  const bench = new UdpBench({ maxSessionsPerSource: 3, idleTimeoutMs: 500 });
  for (let port = 1; port <= 10; port++) bench.from('1.1.1.1', port, 'x');
  bench.from('2.2.2.2', 1, 'x');
  t.is(bench.handler.sessions, 4);
  t.is(bench.dropped('source_limit'), 7);
  await bench.advance(600);
  bench.from('1.1.1.1', 11, 'x');
  t.is(bench.handler.sessions, 1);
});

test('no cluster, no host, no permit: the datagram is dropped and counted', (t) => {
  const bench = new UdpBench();
  bench.cluster.maxConnections = 0;
  bench.from('1.1.1.1', 1, 'x');
  bench.cluster.hosts.splice(0);
  bench.from('1.1.1.1', 1, 'x');
  bench.clusters.clear();
  bench.from('1.1.1.1', 1, 'x');
  t.is(bench.dropped('no_host'), 3);
  t.deepEqual(bench.held, [0, 0]);
  t.is(bench.handler.sessions, 0);
});

test('a host that cannot be reached ends the session and is reported; the next datagram tries another', (t) => {
  const bench = new UdpBench();
  bench.from('1.1.1.1', 1, 'x');
  bench.opened[0]?.events.onError();
  t.deepEqual(bench.held, [0, 0]);
  t.is(bench.cluster.reports[0]?.address, '10.0.0.1:53');
  t.is(bench.value('heddle_udp_unreachable_total'), 1);
  bench.from('1.1.1.1', 1, 'x');
  t.is(bench.opened[1]?.address, '10.0.0.2:53');
});

test('a drain takes no new sessions and is done with the last one', async (t) => {
  const bench = new UdpBench({ idleTimeoutMs: 500 });
  bench.from('1.1.1.1', 1, 'x');
  let isDone = false;
  bench.handler.drain(() => {
    isDone = true;
  });
  bench.from('1.1.1.1', 2, 'x');
  bench.from('1.1.1.1', 1, 'y');
  t.is(bench.dropped('draining'), 1);
  t.deepEqual(bench.opened[0]?.sent, ['x', 'y']);
  t.false(isDone);
  await bench.advance(600);
  t.true(isDone);
});

test('one address sends no more than its share a second, the others are not touched', async (t) => {
  const bench = new UdpBench({ maxDatagramsPerSecond: 10, maxSessionsPerSource: 0 });
  for (let i = 0; i < 100; i++) bench.from('1.1.1.1', 1 + (i % 2), 'x');
  bench.from('2.2.2.2', 1, 'y');
  const sent = (): number => bench.opened.reduce((sum, each) => sum + each.sent.length, 0);
  t.is(sent(), 11);
  t.is(bench.dropped('rate_limit'), 90);
  await bench.advance(500);
  for (let i = 0; i < 100; i++) bench.from('1.1.1.1', 1, 'x');
  t.is(sent(), 16, 'half a second, half of it');
  await bench.advance(60_000);
  for (let i = 0; i < 100; i++) bench.from('1.1.1.1', 1, 'x');
  t.is(sent(), 26, 'and no more than one second in advance');
});

test('a line for each session says who spoke with whom, how much and why it ended', async (t) => {
  const bench = new UdpBench({ accessLog: [{ path: '/udp.log' }], idleTimeoutMs: 500, maxSessions: 2 });
  bench.from('1.1.1.1', 1, 'abc');
  bench.from('1.1.1.1', 1, 'de');
  bench.opened[0]?.events.onMessage(Buffer.from('answer'));
  await bench.advance(600);
  bench.from('1.1.1.1', 2, 'x');
  bench.from('1.1.1.1', 3, 'x');
  bench.from('1.1.1.1', 4, 'x');
  bench.opened[2]?.events.onError();
  bench.handler.close();
  await bench.advance(2000);
  const { lines } = bench;
  t.regex(lines[0] ?? '', /^\[\d{4}-[\dT:.-]+Z\] "UDP" 1\.1\.1\.1:1 \S+ 10\.0\.0\.1:53 2 5 1 6 \d+ idle$/);
  t.deepEqual(
    lines.slice(1).map((line) =>
      line
        .split(' ')
        .filter((_, i) => i === 2 || i === 10)
        .join(' '),
    ),
    ['1.1.1.1:2 evicted', '1.1.1.1:3 unreachable', '1.1.1.1:4 closed'],
  );
});
