import test from 'ava';
import { Code } from '../../../src/core/base/codes.ts';
import type { ClientCodec } from '../../../src/core/contract/codec.ts';
import { createFakeTime, fakeCodecContext, RecordingSink } from '../../../src/testing/index.ts';
import { Keepalive } from '../../../src/transport/pool/keepalive.ts';

const heartbeat = {
  intervalMs: 15_000,
  timeoutMs: 3000,
  maxMissed: 3,
  maxIntervalMs: 90_000,
  peerIdleLimitMs: 90_000,
};

/** A connection whose peer answers heartbeats 10 ms later, or does not. */
class Peer {
  readonly pings: number[] = [];
  closedWith = 0;
  answers = true;
  active = 0;
  lastReadMs: number;
  peerIdleLimitMs = 0;
  diedBusy = false;
  readonly #time: ReturnType<typeof createFakeTime>;
  readonly wire = {
    isConnecting: false,
    bytesRead: 0,
    destroy: (code: number): void => {
      this.closedWith = code;
      this.onClose();
    },
  };
  onClose: () => void = () => {};

  constructor(time: ReturnType<typeof createFakeTime>) {
    this.#time = time;
    this.lastReadMs = time.clock.now();
  }

  ping(): void {
    this.pings.push(this.#time.clock.now());
    if (this.answers) this.#time.clock.setTimer(10, () => this.receive());
  }

  receive(): void {
    this.lastReadMs = this.#time.clock.now();
  }

  get codec(): ClientCodec {
    return this as unknown as ClientCodec;
  }
}

function create(overrides: Partial<typeof heartbeat> = {}) {
  const time = createFakeTime();
  const keepalive = new Keepalive(fakeCodecContext(new RecordingSink(), time), {
    ...heartbeat,
    ...overrides,
  });
  const peer = new Peer(time);
  keepalive.watch(peer.codec);
  peer.onClose = () => keepalive.unwatch(peer.codec, peer.closedWith);
  return { time, keepalive, peer };
}

const gaps = (pings: readonly number[]): number[] =>
  pings.slice(1).map((at, i) => Math.round((at - (pings[i] as number)) / 1000));

test('silence between heartbeats grows from 15 s to the idle limit of the peer less 15 s', (t) => {
  const { time, peer } = create();
  time.clock.advance(600_000);
  t.is(Math.round(((peer.pings[0] as number) - 1000) / 1000), 15, 'the first after 15 s');
  t.deepEqual(gaps(peer.pings).slice(0, 4), [30, 60, 75, 75]);
});

test('no silence ever reaches the limit of the peer', (t) => {
  const { time, keepalive } = create();
  const peers = Array.from({ length: 50 }, () => new Peer(time));
  for (const peer of peers) keepalive.watch(peer.codec);
  time.clock.advance(3_600_000);
  for (const peer of peers) for (const gap of gaps(peer.pings)) t.true(gap <= 75, `${gap} s`);
  const lasts = new Set(peers.map((peer) => Math.round((peer.pings.at(-1) as number) / 1000)));
  t.true(lasts.size > 10, 'connections opened together are not asked together');
});

test('a period that carried traffic needs no heartbeat, and silence counts from the last bytes', (t) => {
  const { time, peer } = create();
  for (let i = 0; i < 600; i++) {
    time.clock.advance(1000);
    peer.receive();
  }
  t.is(peer.pings.length, 0);
  const quietSinceMs = time.clock.now();
  time.clock.advance(120_000);
  t.is(
    Math.round(((peer.pings[0] as number) - quietSinceMs) / 1000),
    75,
    'not from when it was last looked at',
  );
});

test('an unanswered heartbeat brings the interval back to 15 s, three close the connection', (t) => {
  const { time, peer } = create();
  time.clock.advance(300_000);
  peer.answers = false;
  peer.pings.length = 0;
  while (peer.pings.length < 2) time.clock.advance(1000);
  peer.answers = true;
  time.clock.advance(20_000);
  t.is(peer.closedWith, 0, 'an answer in between saves it');
  const after = peer.pings.length;
  time.clock.advance(40_000);
  t.true(peer.pings.length > after, 'asked again soon: the interval is short after a miss');
  peer.answers = false;
  time.clock.advance(200_000);
  t.is(peer.closedWith, Code.heartbeatLost);
  const lost = peer.pings.slice(-3);
  t.deepEqual(gaps(lost), [3, 3], 'three in a row, one each timeout');
  const count = peer.pings.length;
  time.clock.advance(600_000);
  t.is(peer.pings.length, count, 'a closed connection is not asked');
});

test('a peer that closes earlier than expected teaches its limit to the next connections', (t) => {
  const { time, keepalive, peer } = create();
  time.clock.advance(200_000);
  // Closed after 45 s of silence.
  peer.receive();
  time.clock.advance(45_000);
  keepalive.unwatch(peer.codec, Code.upstreamClosed);
  const next = new Peer(time);
  keepalive.watch(next.codec);
  time.clock.advance(600_000);
  for (const gap of gaps(next.pings)) t.true(gap <= 30, `${gap} s`);
  t.true(Math.max(...gaps(next.pings)) >= 27);
});

test('a connection that broke with calls in progress, or that we closed, teaches nothing', (t) => {
  const { time, keepalive, peer } = create();
  time.clock.advance(20_000);
  peer.diedBusy = true;
  keepalive.unwatch(peer.codec, Code.upstreamClosed);
  const second = new Peer(time);
  keepalive.watch(second.codec);
  time.clock.advance(20_000);
  keepalive.unwatch(second.codec, Code.draining);
  const next = new Peer(time);
  keepalive.watch(next.codec);
  t.is(keepalive.longestFor(next.codec), 75_000);
});

test('a mesh peer that bears more silence is asked more rarely', (t) => {
  const { time, peer } = create();
  peer.peerIdleLimitMs = 300_000;
  time.clock.advance(3_600_000);
  t.true(Math.max(...gaps(peer.pings)) > 240);
  for (const gap of gaps(peer.pings)) t.true(gap <= 285, `${gap} s`);
});

test('without a longest interval the interval is fixed', (t) => {
  const time = createFakeTime();
  const { maxIntervalMs: _max, peerIdleLimitMs: _limit, ...fixed } = heartbeat;
  const keepalive = new Keepalive(fakeCodecContext(new RecordingSink(), time), fixed);
  const peer = new Peer(time);
  keepalive.watch(peer.codec);
  time.clock.advance(600_000);
  t.true(gaps(peer.pings).every((gap) => gap === 15));
});
