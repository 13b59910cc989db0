import test from 'ava';
import { Code } from '../../../../src/core/base/codes.ts';
import { HeadView } from '../../../../src/core/base/head-view.ts';
import { answer } from '../http1/harness.ts';
import {
  block,
  F,
  type Frame,
  frame,
  get,
  h2Client,
  h2Server,
  opening,
  post,
  settings,
  u32,
} from './harness.ts';

const headers = (id: number, flags = 5, payload = get()): Buffer => frame(F.headers, flags, id, payload);
const dataOf = (frames: readonly Frame[], id: number): number =>
  frames
    .filter((each) => each.type === F.data && each.id === id)
    .reduce((sum, each) => sum + each.payload.length, 0);
const hasEnd = (frames: readonly Frame[], id: number): boolean =>
  frames.some((each) => each.id === id && each.type <= F.headers && (each.flags & 1) !== 0);
const updatesOf = (frames: readonly Frame[], id: number): number[] =>
  frames
    .filter((each) => each.type === F.window && each.id === id)
    .map((each) => each.payload.readUInt32BE(0));

test('a body goes no further than the window of its stream, and on with WINDOW_UPDATE', (t) => {
  const { send, take, sink } = h2Server();
  sink.onRequestEnd = (s) => answer(s, 200, 'x'.repeat(100_000));
  send(opening, headers(1));
  const first = take();
  t.is(dataOf(first, 1), 65_535);
  t.false(hasEnd(first, 1));
  send(frame(F.window, 0, 1, u32(100_000)));
  t.is(dataOf(take(), 1), 0, 'the window of the connection is closed');
  send(frame(F.window, 0, 0, u32(10_000)));
  t.is(dataOf(take(), 1), 10_000);
  send(frame(F.window, 0, 0, u32(100_000)));
  const last = take();
  t.is(dataOf(last, 1), 100_000 - 75_535);
  t.true(hasEnd(last, 1));
});

test('streams take turns where the window of the connection is small', (t) => {
  const { send, take, sink } = h2Server();
  sink.onRequestEnd = (s) => answer(s, 200, 'x'.repeat(60_000));
  send(opening, headers(1), headers(3), headers(5));
  take();
  send(frame(F.window, 0, 0, u32(49_152)));
  const sent = take();
  t.deepEqual(
    [3, 5].map((id) => dataOf(sent, id) > 16_000),
    [true, true],
  );
});

test('SETTINGS change the windows of streams that are open, below zero too', (t) => {
  const { send, take, sink } = h2Server();
  sink.onRequestEnd = (s) => answer(s, 200, 'x'.repeat(10_000));
  send(opening, frame(F.settings, 0, 0, settings([4, 5000])), headers(1));
  t.is(dataOf(take(), 1), 5000);
  send(frame(F.settings, 0, 0, settings([4, 1000])), frame(F.window, 0, 1, u32(3000)));
  t.is(dataOf(take(), 1), 0, 'the window is at -1000');
  send(frame(F.window, 0, 1, u32(1001)));
  t.is(dataOf(take(), 1), 1);
  send(frame(F.settings, 0, 0, settings([4, 10_000])));
  const last = take();
  t.is(dataOf(last, 1), 4999);
  t.true(hasEnd(last, 1));
});

test('trailers wait behind the body that waits for its window', (t) => {
  const { send, take, sink } = h2Server();
  sink.onRequestEnd = (s) => {
    s.res.status = 200;
    const body = Buffer.alloc(70_000);
    s.down?.sendHead(s, s.res, body, 0, body.length, false);
    const trailers = new HeadView();
    trailers.add('x-sum', '1');
    s.down?.sendTrailers(s, trailers);
  };
  send(opening, headers(1));
  t.false(hasEnd(take(), 1));
  send(frame(F.window, 0, 0, u32(70_000)), frame(F.window, 0, 1, u32(70_000)));
  const last = take();
  t.is(last.at(-1)?.type, F.headers);
  t.true(hasEnd(last, 1));
});

test('a paused stream gets no window, others and the connection do', (t) => {
  const { send, take, sink, codec } = h2Server();
  sink.onRequestHead = (s, index) => {
    if (index === 0) codec.pauseRead(s);
  };
  send(opening, headers(1, 4, post()), headers(3, 4, post()));
  const pieces = [1, 3].flatMap((id) => [0, 1, 2].map(() => frame(F.data, 0, id, Buffer.alloc(16_384))));
  for (let i = 0; i < 6; i++) send(pieces[i] as Buffer);
  const sent = take();
  t.deepEqual(updatesOf(sent, 1), []);
  t.deepEqual(updatesOf(sent, 3), [32_768]);
  codec.resumeRead((sink.requests[0] as (typeof sink.requests)[number]).stream);
  send();
  t.deepEqual(updatesOf(take(), 1), [49_152]);
  t.is(sink.requests[0]?.body.length, 49_152);
});

test('the window of the connection is given back whatever streams do', (t) => {
  const { send, take, sink, codec } = h2Server({ config: { connectionWindowBytes: 65_535 } });
  sink.onRequestHead = (s) => codec.pauseRead(s);
  send(
    opening,
    headers(1, 4, post()),
    frame(F.data, 0, 1, Buffer.alloc(16_384)),
    frame(F.data, 0, 1, Buffer.alloc(16_384)),
  );
  t.deepEqual(updatesOf(take(), 0), [32_768]);
});

test('an answer shorter than its length breaks the stream, a longer one is cut', (t) => {
  const { send, take, sink } = h2Server();
  const bodies = ['12345678', '12'];
  sink.onRequestEnd = (s, index) => {
    s.res.status = 200;
    s.res.contentLength = 4;
    const body = Buffer.from(bodies[index] as string);
    s.down?.sendHead(s, s.res, body, 0, body.length, false);
    s.down?.sendData(s, body, 0, 0, true);
  };
  send(opening, headers(1), headers(3));
  const sent = take();
  t.is(dataOf(sent, 1), 4);
  t.true(hasEnd(sent, 1));
  t.false(hasEnd(sent, 3));
  t.is(sent.find((each) => each.type === F.rst)?.payload.readUInt32BE(0), 2);
});

test('HEAD, 204 and 304 are sent without a body, whatever comes', (t) => {
  const { send, take, sink } = h2Server();
  const statuses = [200, 204, 304];
  sink.onRequestEnd = (s, index) => answer(s, statuses[index] as number, 'body');
  const head = block([':method', 'HEAD'], [':scheme', 'http'], [':path', '/'], [':authority', 'a']);
  send(opening, headers(1, 5, head), headers(3), headers(5));
  const sent = take();
  for (const id of [1, 3, 5]) {
    t.is(dataOf(sent, id), 0);
    t.true(hasEnd(sent, id));
  }
});

test('an answer that overtakes its request asks the client to stop with NO_ERROR, and what still comes is no offence', (t) => {
  const { send, take, sink, owner } = h2Server();
  sink.onRequestHead = (s) => answer(s, 413);
  send(opening, headers(1, 4, post()));
  t.is(
    take()
      .find((each) => each.type === F.rst)
      ?.payload.readUInt32BE(0),
    0,
  );
  send(
    frame(F.data, 0, 1, Buffer.alloc(100)),
    headers(1, 5, block(['x-t', '1'])),
    frame(F.window, 0, 1, u32(5)),
  );
  t.deepEqual(take(), []);
  t.deepEqual(owner.errors, []);
});

test('a full wire holds bodies back, not control frames; writable follows the drain', (t) => {
  const { send, take, sink, wire, flush } = h2Server();
  send(opening, headers(1, 4, post()));
  const s = (sink.requests[0] as (typeof sink.requests)[number]).stream;
  wire.isStuck = true;
  s.res.status = 200;
  s.down?.sendHead(s, s.res, Buffer.from('a'), 0, 1, false);
  send();
  take();
  t.false(s.down?.sendData(s, Buffer.from('b'), 0, 1, false));
  send(frame(F.ping, 0, 0, Buffer.alloc(8)));
  t.deepEqual(
    take().map((each) => each.type),
    [F.ping],
  );
  wire.drain();
  flush();
  t.is(dataOf(take(), 1), 1);
  t.is(sink.writables, 1);
});

test('draining: a GOAWAY that excludes nothing, the real one a round trip later, then the end', (t) => {
  const { send, take, sink, codec, wire } = h2Server();
  send(opening, headers(1));
  take();
  codec.drain();
  send(headers(3));
  const first = take();
  t.is(first.find((each) => each.type === F.goAway)?.payload.readUInt32BE(0), 2 ** 31 - 1);
  const ping = first.find((each) => each.type === F.ping) as Frame;
  send(frame(F.ping, 1, 0, ping.payload), headers(5));
  const second = take();
  t.is(second.find((each) => each.type === F.goAway)?.payload.readUInt32BE(0), 3);
  t.is(second.find((each) => each.type === F.rst && each.id === 5)?.payload.readUInt32BE(0), 7);
  for (const each of sink.requests) answer(each.stream, 200);
  send();
  t.deepEqual(
    take()
      .filter((each) => each.type === F.headers)
      .map((each) => each.id),
    [1, 3],
  );
  t.true(wire.isEnded);
});

test('time limits: SETTINGS never acknowledged, a frame that stops, an idle connection', (t) => {
  const silent = h2Server();
  silent.send(opening);
  silent.take();
  silent.clock.advance(10_100);
  silent.send();
  t.is(
    silent
      .take()
      .find((each) => each.type === F.goAway)
      ?.payload.readUInt32BE(4),
    4,
  );

  const stopped = h2Server();
  stopped.send(opening, frame(F.settings, 1, 0), headers(1).subarray(0, 20));
  stopped.take();
  stopped.clock.advance(10_100);
  stopped.send();
  t.is(
    stopped
      .take()
      .find((each) => each.type === F.goAway)
      ?.payload.readUInt32BE(4),
    11,
  );

  const idle = h2Server();
  idle.send(opening, frame(F.settings, 1, 0));
  idle.take();
  idle.clock.advance(60_100);
  idle.send();
  t.is(
    idle
      .take()
      .find((each) => each.type === F.goAway)
      ?.payload.readUInt32BE(4),
    0,
  );
  idle.clock.advance(12_600);
  idle.send();
  t.true(idle.wire.isEnded, 'without an answer to its PING as well');

  const slow = h2Server({ limits: { requestTimeoutMs: 4000, idleTimeoutMs: 0 } });
  slow.sink.onRequestHead = (s) => {
    s.startMs = slow.clock.now();
  };
  slow.send(opening, frame(F.settings, 1, 0), headers(1, 4, post()));
  slow.take();
  slow.clock.advance(5100);
  slow.send();
  t.true(
    slow
      .take()
      .find((each) => each.type === F.headers)
      ?.payload.includes(Buffer.from('408')),
  );
  t.is(slow.sink.requests[0]?.reset, Code.requestTimeout);
});

test('a client asks a silent upstream by PING, rarely, and gives it up without an answer', (t) => {
  const { ask, send, take, clock, sink, wire } = h2Client();
  ask();
  send(frame(F.settings, 0, 0), frame(F.settings, 1, 0));
  take();
  clock.advance(29_000);
  send();
  t.deepEqual(take(), []);
  clock.advance(12_000);
  send();
  t.deepEqual(
    take().map((each) => each.type),
    [F.ping],
  );
  wire.bytesRead += 17;
  send(frame(F.ping, 1, 0, Buffer.alloc(8)));
  clock.advance(240_000);
  send();
  t.deepEqual(take(), [], 'no second one within five minutes');
  clock.advance(74_000);
  send();
  t.deepEqual(
    take().map((each) => each.type),
    [F.ping],
  );
  clock.advance(11_000);
  t.is(sink.responses.at(-1)?.reset, Code.heartbeatLost);
  t.is(wire.destroyedWith, Code.heartbeatLost);
});

test('a client sends no more streams than the upstream allows', (t) => {
  const { ask, send, codec, owner } = h2Client();
  t.is(codec.room, 100);
  ask();
  send(frame(F.settings, 0, 0, settings([3, 2])));
  t.is(codec.room, 1);
  ask();
  t.is(codec.room, 0);
  const rooms = owner.rooms;
  send(frame(F.settings, 0, 0, settings([3, 5])));
  t.is(codec.room, 3);
  t.is(owner.rooms, rooms + 1, 'the pool is told');
});

test('an idle connection holds no block, and frames of one turn leave in one write', (t) => {
  const { send, sink, wire, context } = h2Server();
  sink.onRequestEnd = (s) => answer(s, 200, 'x');
  send(opening);
  wire.writes.length = 0;
  wire.send(Buffer.concat([headers(1), headers(3), headers(5)]));
  t.is(wire.writes.length, 0);
  send();
  t.is(wire.writes.length, 1);
  const block = context.slab.blocks.take();
  t.is(context.slab.blocks.take() === block, false);
});

test('an upstream that ends a complete body by RST_STREAM with NO_ERROR has answered; an incomplete one has not', (t) => {
  const { ask, send, sink } = h2Client();
  const ok = block([':status', '200'], ['content-length', '3']);
  ask();
  ask();
  send(
    frame(F.settings, 0, 0),
    headers(1, 4, ok),
    frame(F.data, 0, 1, Buffer.from('abc')),
    frame(F.rst, 0, 1, u32(0)),
  );
  t.deepEqual([sink.responses[0]?.body, sink.responses[0]?.end, sink.responses.length], ['abc', true, 1]);
  send(headers(3, 4, ok), frame(F.data, 0, 3, Buffer.from('ab')), frame(F.rst, 0, 3, u32(0)));
  t.is(sink.responses.at(-1)?.reset, Code.upstreamReset);
});
