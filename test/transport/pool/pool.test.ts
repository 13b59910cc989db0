import test from 'ava';
import { Code } from '../../../src/core/base/codes.ts';
import type { Codec } from '../../../src/core/contract/codec.ts';
import { type StreamEnd, waiting } from '../../../src/core/contract/stream-end.ts';
import { testBound, testMux } from '../../../src/testing/index.ts';
import { PoolBench } from './pool-bench.ts';

/** The line protocol carries one stream after the other: all that ping-pong pools ask for. */
const pingPong: Codec = { ...testBound, poolMode: 'pingPong' };

test('ping-pong: an idle connection is taken before a new one is dialled, the last used first', (t) => {
  const bench = new PoolBench(pingPong);
  const first = bench.ask();
  const second = bench.ask();
  t.is(bench.links.length, 2);
  bench.answerNext();
  bench.answerNext();
  t.is(bench.pool.stats().idle, 2);
  const third = bench.ask();
  t.is(third.end, second.end, 'the one that was given back last');
  const fourth = bench.ask();
  t.is(fourth.end, first.end);
  t.true(fourth.exchange.stream.reused);
  t.is(bench.links.length, 2);
  t.is(bench.permits.connections, 2);
});

test('ping-pong: beyond the limit of a host streams wait in order and are told when it is their turn', (t) => {
  const bench = new PoolBench(pingPong, { maxConnectionsPerHost: 1 });
  bench.ask();
  const second = bench.ask();
  const third = bench.ask();
  t.is(second.end, waiting);
  t.is(third.end, waiting);
  t.is(bench.permits.pending, 2);
  bench.answerNext();
  t.true(second.exchange.isReady);
  t.false(third.exchange.isReady);
  t.is(bench.permits.pending, 1);
  bench.send(second.exchange.stream, second.exchange.stream.up as StreamEnd);
  bench.answerNext();
  t.true(third.exchange.isReady);
  t.is(bench.permits.pending, 0);
  t.is(bench.links.length, 1);
});

test('a full queue, a cancelled wait and a cluster without connections to spare each have their answer', (t) => {
  const bench = new PoolBench(pingPong, { maxConnectionsPerHost: 1 });
  bench.permits.maxPending = 1;
  bench.ask();
  const queued = bench.ask();
  t.is(bench.ask().end, Code.pendingOverflow);
  bench.pool.cancelWait(queued.exchange.stream);
  bench.pool.cancelWait(queued.exchange.stream);
  t.is(bench.permits.pending, 0);
  t.is(bench.ask().end, waiting);

  const other = new PoolBench(pingPong);
  other.permits.maxConnections = 0;
  t.is(other.ask().end, Code.connectionOverflow, 'nothing will ever come free here');
});

test('a connect that fails resets its stream, gives the permit back and fails those that wait for nothing else', (t) => {
  const bench = new PoolBench(pingPong, { maxConnectionsPerHost: 1 });
  bench.connectsAtOnce = false;
  const first = bench.ask();
  const second = bench.ask();
  bench.links[0]?.refuse(Code.connectTimeout);
  bench.settle();
  t.deepEqual(first.exchange.resets, [Code.connectTimeout]);
  t.deepEqual(second.exchange.resets, [Code.connectTimeout]);
  t.is(bench.permits.connections, 0);
  t.is(bench.permits.pending, 0);
  t.is(bench.pool.stats().connectFailures, 1);
});

test('a connection that closes while idle is forgotten, one that closes under a stream resets it', (t) => {
  const bench = new PoolBench(pingPong);
  bench.ask();
  bench.answerNext();
  bench.links[0]?.reset();
  bench.settle();
  t.is(bench.permits.connections, 0);
  const asked = bench.ask();
  t.is(bench.links.length, 2);
  bench.links[1]?.reset();
  bench.settle();
  t.deepEqual(asked.exchange.resets, [Code.upstreamReset]);
  t.is(bench.permits.connections, 0);
  t.is(bench.pool.stats().connections, 0);
});

test('waiting streams get a new connection when the one they waited for breaks', (t) => {
  const bench = new PoolBench(pingPong, { maxConnectionsPerHost: 1 });
  bench.ask();
  const queued = bench.ask();
  bench.links[0]?.reset();
  bench.settle();
  t.true(queued.exchange.isReady);
  t.is(bench.links.length, 2);
  t.is(bench.permits.connections, 1);
  t.is(bench.permits.pending, 0);
});

test('a connection is retired after its number of requests', (t) => {
  const bench = new PoolBench(pingPong, { maxRequestsPerConnection: 2 });
  for (let i = 0; i < 5; i++) {
    bench.ask();
    bench.answerNext();
  }
  t.is(bench.links.length, 3);
  t.is(bench.permits.connections, 1);
  t.deepEqual(bench.sink.offences, []);
});

test('connections that were idle for the limit are closed, those in use stay', (t) => {
  const bench = new PoolBench(pingPong, { idleTimeoutMs: 10_000 });
  for (let i = 0; i < 3; i++) bench.ask();
  for (let i = 0; i < 3; i++) bench.answerNext();
  t.is(bench.pool.stats().idle, 3);
  // One connection works every second, the others rest.
  for (let i = 0; i < 9; i++) {
    bench.advance(1000);
    bench.ask();
    bench.answerNext();
  }
  t.is(bench.permits.connections, 3, 'not before the limit');
  for (let i = 0; i < 7; i++) {
    bench.advance(1000);
    bench.ask();
    bench.answerNext();
  }
  t.is(bench.permits.connections, 1);
  bench.advance(30_000);
  t.is(bench.permits.connections, 0);
  t.is(bench.time.wheel.armed, 0, 'an empty pool has no timer');
});

test('the idle limit holds in every mode: not a second earlier, at most half of it later', (t) => {
  const { heartbeat: _heartbeat, ...silentMux } = testMux;
  for (const codec of [pingPong, silentMux]) {
    for (const idleTimeoutMs of [4000, 60_000, 600_000]) {
      const bench = new PoolBench(codec, { idleTimeoutMs });
      bench.ask();
      bench.answerNext();
      bench.advance(idleTimeoutMs - 100);
      t.is(bench.permits.connections, 1, `${codec.name}, ${idleTimeoutMs} ms`);
      bench.advance(idleTimeoutMs / 2 + 200);
      t.is(bench.permits.connections, 0, `${codec.name}, ${idleTimeoutMs} ms`);
    }
  }
});

test('preconnect keeps so many open, refills, and backs off while the host is down', (t) => {
  const bench = new PoolBench(pingPong, { preconnect: 2 });
  t.is(bench.links.length, 2);
  bench.settle();
  bench.links[0]?.reset();
  bench.settle();
  t.is(bench.links.length, 3);
  bench.advance(200_000);
  t.is(bench.pool.stats().connections, 2, 'idle ones are kept up to that number');

  const down = new PoolBench(pingPong, { preconnect: 1 }, (each) => {
    each.connectsAtOnce = false;
  });
  const dialsWithin = (ms: number): number => {
    const before = down.links.length;
    for (let passed = 0; passed < ms; passed += 50) {
      down.advance(50);
      down.links.at(-1)?.refuse();
      down.settle();
    }
    return down.links.length - before;
  };
  down.links[0]?.refuse();
  down.settle();
  const early = dialsWithin(1600);
  const late = dialsWithin(16_000);
  t.true(early >= 3 && early <= 5, `${early} dials in the first 1.6 s`);
  t.true(late >= 2 && late <= 5, `${late} dials in the next 16 s`);
});

test('drain refuses new streams, lets those on the way finish, then resolves', async (t) => {
  const bench = new PoolBench(pingPong, { maxConnectionsPerHost: 2 });
  const first = bench.ask();
  bench.ask();
  const queued = bench.ask();
  bench.pool.drain();
  t.deepEqual(queued.exchange.resets, [Code.draining]);
  t.is(bench.ask().end, Code.draining);
  bench.answerNext();
  bench.answerNext();
  t.is(first.exchange.response?.status, 200);
  await bench.pool.closed;
  t.is(bench.permits.connections, 0);
});

test('close drops everything at once', async (t) => {
  const bench = new PoolBench(testMux);
  const first = bench.ask();
  bench.pool.close();
  bench.settle();
  t.deepEqual(first.exchange.resets, [Code.meshClosed]);
  t.is(bench.ask().end, Code.meshClosed);
  await bench.pool.closed;
  t.is(bench.permits.connections, 0);
  t.is(bench.time.wheel.armed, 0);
});

test('multiplex: streams share a connection up to its room, then a second one is dialled', (t) => {
  const bench = new PoolBench(testMux);
  const asked = Array.from({ length: testMux.maxConcurrent + 1 }, () => bench.ask());
  t.is(bench.links.length, 2);
  t.is(new Set(asked.map((each) => each.end)).size, 2);
  bench.answerNext();
  t.is(
    bench.connectionOf(bench.ask()),
    bench.connectionOf(asked.at(-1) as (typeof asked)[0]),
    'most room first',
  );
});

test('multiplex: a goAway takes the connection out while its streams finish', (t) => {
  const bench = new PoolBench(testMux);
  const before = bench.ask();
  bench.servers[0]?.drain();
  bench.settle();
  const after = bench.ask();
  t.not(after.end, before.end);
  t.is(bench.permits.connections, 2);
  bench.answerNext();
  bench.answerNext();
  t.is(before.exchange.response?.status, 200);
  t.is(after.exchange.response?.status, 200);
  t.is(bench.permits.connections, 1);
});

test('multiplex: a quiet connection gets heartbeats and is dropped when none is answered', (t) => {
  const bench = new PoolBench(testMux, { idleTimeoutMs: 0 });
  bench.ask();
  bench.answerNext();
  for (let i = 0; i < 120; i++) bench.advance(1000);
  t.is(bench.permits.connections, 1, 'answered heartbeats keep it');
  t.true((bench.links[0]?.dialled.bytesRead ?? 0) > 50, 'pongs came');
  bench.links[0]?.accepted.pause();
  for (let i = 0; i < 30; i++) bench.advance(1000);
  t.is(bench.permits.connections, 0);
  t.is(bench.links[0]?.dialled.closeCode, Code.heartbeatLost);
});

test('bound: each downstream has its own connection, for life', (t) => {
  const bench = new PoolBench(testBound);
  const downs = [new PoolBench(testBound), new PoolBench(testBound)].map((each) => {
    each.ask();
    return each.servers[0] as NonNullable<(typeof each.servers)[0]>;
  });
  const [one, two] = downs as [(typeof downs)[0], (typeof downs)[0]];
  const first = bench.ask(one);
  const second = bench.ask(two);
  t.not(first.end, second.end);
  const blocked = bench.ask(one);
  t.is(blocked.end, waiting, 'its own connection is busy');
  bench.answerNext();
  t.true(blocked.exchange.isReady);
  t.true(blocked.exchange.stream.up === first.end);
  bench.pool.unbind(two);
  bench.settle();
  t.is(bench.permits.connections, 1);
  t.is(second.exchange.resets.length, 1);
});

test('bound: when the upstream goes, its downstream is drained; in-process calls keep no connection', (t) => {
  const far = new PoolBench(testBound);
  far.ask();
  const down = far.servers[0] as NonNullable<(typeof far.servers)[0]>;
  far.answerNext();
  const bench = new PoolBench(testBound);
  bench.ask(down);
  bench.links[0]?.reset();
  bench.settle();
  far.settle();
  t.true(far.links[0]?.accepted.isEnded, 'the downstream connection ends');
  bench.ask(null);
  bench.answerNext();
  t.is(bench.permits.connections, 0);
});
