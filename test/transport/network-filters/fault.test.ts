import test from 'ava';
import type { ConnectionEnding } from '../../../src/core/contract/network-filter.ts';
import type { Wire } from '../../../src/core/contract/wire.ts';
import { networkFault } from '../../../src/transport/network-filters/fault/index.ts';
import { networkIpAccess } from '../../../src/transport/network-filters/ip-access.ts';
import { Far, NetworkBench } from './bench.ts';

interface Taken extends ConnectionEnding {
  readonly ends: Far[];
}

function taking(): Taken {
  const ends: Far[] = [];
  return {
    ends,
    serve: ({ wire }) => {
      ends.push(new Far(wire));
      return { wire } as never;
    },
  };
}

function faultOf(bench: NetworkBench, config: object) {
  const result = networkFault.config['~standard'].validate(config);
  if (result instanceof Promise || result.issues !== undefined) throw new Error('bad config');
  return networkFault.create(result.value, bench.context);
}

test('a delayed connection is let in when the time has come, with what was sent meanwhile', async (t) => {
  const bench = new NetworkBench();
  const end = taking();
  const { client } = bench.accept([faultOf(bench, { delay: { fixedMs: 200 } })], end);
  client.send('hello');
  await bench.advance(199);
  t.is(end.ends.length, 0);
  await bench.advance(2);
  t.is(end.ends[0]?.text, 'hello');
  t.is(bench.value('heddle_network_fault_delayed_total'), 1);
});

test('a client that goes away during the delay is never let in', async (t) => {
  const bench = new NetworkBench();
  const end = taking();
  const { link, arrival } = bench.accept([faultOf(bench, { delay: { fixedMs: 200 } })], end);
  link.reset();
  await bench.settle();
  t.is(bench.left.length, 1);
  await bench.advance(300);
  t.is(end.ends.length, 0);
  arrival.resume();
  t.is(end.ends.length, 0);
});

test('a reset comes at once or after its time, for its share of connections', async (t) => {
  const now = new NetworkBench();
  const none = taking();
  const first = now.accept([faultOf(now, { reset: {} })], none);
  await now.settle();
  t.is(none.ends.length, 0);
  t.not(first.client.closeCode, -1);

  const later = new NetworkBench();
  const end = taking();
  const second = later.accept([faultOf(later, { reset: { afterMs: 500 } })], end);
  second.client.send('x');
  await later.advance(400);
  t.is(end.ends[0]?.text, 'x');
  t.is(second.client.closeCode, -1);
  await later.advance(200);
  t.not(second.client.closeCode, -1);
  t.not(end.ends[0]?.closeCode, -1);

  const some = new NetworkBench();
  const filter = faultOf(some, { reset: { percent: 25 } });
  for (let i = 0; i < 2000; i++) some.accept([filter], taking());
  const share = some.value('heddle_network_fault_reset_total') / 2000;
  t.true(Math.abs(share - 0.25) < 0.04, String(share));
});

test('a slow line passes its rate both ways and loses nothing', async (t) => {
  const bench = new NetworkBench();
  const end = taking();
  const { client } = bench.accept([faultOf(bench, { bandwidth: { kibPerSecond: 100 } })], end, {
    split: 10_240,
  });
  const block = Buffer.from(Array.from({ length: 102_400 }, (_, i) => i % 253));
  client.send(block);
  await bench.settle();
  const far = end.ends[0] as Far;
  t.is(far.bytes.length, 10_240, 'one read, then it has to be paid for');
  for (let i = 0; i < 5; i++) await bench.advance(100);
  t.true(Math.abs(far.bytes.length - 61_440) <= 10_240, String(far.bytes.length));
  for (let i = 0; i < 6; i++) await bench.advance(100);
  t.true(far.bytes.equals(block));

  let sent = 0;
  let ms = 0;
  while (sent < 20 && ms < 5000) {
    const drains = far.drains;
    sent++;
    if (!far.send(block.subarray(0, 10_240))) {
      while (far.drains === drains && ms < 5000) {
        await bench.advance(10);
        ms += 10;
      }
    }
  }
  t.is(client.bytes.length, 204_800);
  t.true(ms >= 1800 && ms <= 2300, `2 s of data took ${ms} ms`);
});

test('pause and resume of the protocol hold on a slow line', async (t) => {
  const bench = new NetworkBench();
  const end = taking();
  const { client } = bench.accept([faultOf(bench, { bandwidth: { kibPerSecond: 1000 } })], end, {
    split: 1000,
  });
  const far = end.ends[0] as Far;
  (far.wire as Wire).pause();
  client.send(Buffer.alloc(50_000));
  await bench.advance(1000);
  t.is(far.bytes.length, 0);
  (far.wire as Wire).resume();
  for (let i = 0; i < 20; i++) await bench.advance(10);
  t.is(far.bytes.length, 50_000);
});

test('maxActive bounds the connections with a fault; their places come back', async (t) => {
  const bench = new NetworkBench();
  const filter = faultOf(bench, { bandwidth: { kibPerSecond: 1 }, maxActive: 1 });
  const end = taking();
  const first = bench.accept([filter], end);
  bench.accept([filter], end);
  t.is(bench.value('heddle_network_fault_slowed_total'), 1);
  t.is(bench.value('heddle_network_fault_overflow_total'), 1);
  first.link.reset();
  await bench.settle();
  bench.accept([filter], end);
  t.is(bench.value('heddle_network_fault_slowed_total'), 2);
});

test('connections pass by address, before a byte is read', async (t) => {
  for (const [config, passes] of [
    [{ allow: ['127.0.0.0/8'] }, true],
    [{ allow: ['10.0.0.0/8'] }, false],
    [{ deny: ['127.0.0.1'] }, false],
    [{ deny: ['10.0.0.0/8'] }, true],
  ] as const) {
    const bench = new NetworkBench();
    const result = networkIpAccess.config['~standard'].validate(config);
    if (result instanceof Promise || result.issues !== undefined) throw new Error('bad config');
    const end = taking();
    const { client } = bench.accept([networkIpAccess.create(result.value, bench.context)], end);
    client.send('x');
    await bench.settle();
    t.is(end.ends.length === 1, passes, JSON.stringify(config));
    t.is(client.isEnded, !passes);
  }
  const empty = networkIpAccess.config['~standard'].validate({});
  t.false(empty instanceof Promise || empty.issues === undefined);
});

test('a filter that throws closes the connection', async (t) => {
  const bench = new NetworkBench();
  const end = taking();
  const broken = {
    admit: () => {
      throw new Error('bug');
    },
  };
  const { client } = bench.accept([broken], end);
  await bench.settle();
  t.true(client.isEnded);
  t.is(end.ends.length, 0);
});
