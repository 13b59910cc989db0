import test from 'ava';
import { answer } from '../http1/harness.ts';
import { F, frame, get, h2Server, opening, post, settings, u32 } from './harness.ts';

type Bench = ReturnType<typeof h2Server>;

const limits = { resets: 20, pings: 20, settings: 20, priorities: 20, windowUpdates: 20, emptyFrames: 20 };
const headers = (id: number, flags = 5, payload = get()): Buffer => frame(F.headers, flags, id, payload);
const times = (count: number, make: (i: number) => Buffer): Buffer[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** 100 of these are a flood, 15 are not. */
const floods: Readonly<Record<string, (i: number) => Buffer>> = {
  'rapid reset': (i) => Buffer.concat([headers(i * 2 + 1), frame(F.rst, 0, i * 2 + 1, u32(8))]),
  'streams that are broken by the client': (i) =>
    Buffer.concat([headers(i * 2 + 1, 4, post()), frame(F.window, 0, i * 2 + 1, u32(0))]),
  'malformed requests': (i) => headers(i * 2 + 1, 5, get(['connection', 'close'])),
  PING: () => frame(F.ping, 0, 0, Buffer.alloc(8)),
  SETTINGS: () => frame(F.settings, 0, 0, settings([3, 100])),
  PRIORITY: () => frame(F.priority, 0, 1, Buffer.concat([u32(3), Buffer.of(1)])),
  'unknown frames': () => frame(99, 0, 0, Buffer.alloc(3)),
  'WINDOW_UPDATE of the connection': () => frame(F.window, 0, 0, u32(1)),
  'empty DATA': (i) =>
    i === 0 ? Buffer.concat([headers(1, 4, post()), frame(F.data, 0, 1)]) : frame(F.data, 0, 1),
};

const goAwayOf = ({ take }: Bench): number => {
  const goAway = take().find((each) => each.type === F.goAway);
  return goAway === undefined ? -1 : goAway.payload.readUInt32BE(4);
};

for (const [title, make] of Object.entries(floods)) {
  test(`${title}: a flood ends the connection with ENHANCE_YOUR_CALM`, (t) => {
    const bench = h2Server({ config: { floods: limits } });
    bench.send(opening, ...times(100, make));
    t.is(goAwayOf(bench), 11);
    t.true(bench.wire.isEnded);
    t.true(bench.owner.errors.at(-1)?.detail.startsWith('too many') === true);
    t.true(bench.sink.requests.every((each) => each.end || each.reset >= 0));
  });

  test(`${title}: the same spread over minutes is none`, (t) => {
    const bench = h2Server({ config: { floods: limits }, limits: { idleTimeoutMs: 0 } });
    bench.send(opening, frame(F.settings, 1, 0));
    for (let i = 0; i < 100; i++) {
      if (i % 15 === 0) bench.clock.advance(11_000);
      bench.send(make(i));
    }
    t.is(goAwayOf(bench), -1);
    t.false(bench.wire.isEnded);
  });
}

test('a client that cancels some of many streams is no attacker', (t) => {
  const bench = h2Server({ config: { floods: limits } });
  bench.sink.onRequestEnd = (s) => {
    if (s.downId % 8 !== 1) answer(s, 200);
  };
  bench.send(opening);
  for (let i = 0; i < 400; i++) {
    bench.send(headers(i * 2 + 1));
    if ((i * 2 + 1) % 8 === 1) bench.send(frame(F.rst, 0, i * 2 + 1, u32(8)));
  }
  t.is(goAwayOf(bench), -1);
});

test('CONTINUATION frames without an end are cut by count and by size', (t) => {
  for (const piece of [Buffer.alloc(1, 0x82), Buffer.alloc(16_000, 0x82)]) {
    const bench = h2Server();
    bench.send(opening, frame(F.headers, 1, 1, piece));
    for (let i = 0; i < 100; i++) bench.send(frame(F.continuation, 0, 1, piece));
    t.is(goAwayOf(bench), 11);
    t.is(bench.sink.requests.length, 0);
  }
});

test('a header block of few bytes that means megabytes is refused with 431 and costs little', (t) => {
  const bench = h2Server();
  const name = Buffer.from('x-bomb');
  const value = Buffer.alloc(4000, 0x61);
  const length = Buffer.of(127, ((4000 - 127) % 128) | 128, Math.floor((4000 - 127) / 128));
  const entry = Buffer.concat([Buffer.of(0x40, name.length), name, length, value]);
  bench.send(opening, headers(1, 5, Buffer.concat([get(), entry])));
  bench.send(headers(3, 5, Buffer.concat([get(), Buffer.alloc(16_000, 0xbe)])));
  const answered = bench.take().filter((each) => each.type === F.headers && each.id === 3);
  t.true(answered[0]?.payload.includes(Buffer.from('431')));
  t.is(bench.sink.requests.length, 1);
  bench.send(headers(5, 5, Buffer.concat([get(), Buffer.of(0xbe)])));
  t.is(bench.sink.requests.at(-1)?.headers['x-bomb']?.length, 4000, 'the table is still right');
});

test('a client that does not read its answers but makes the server answer is cut off', (t) => {
  const bench = h2Server({ config: { floods: { ...limits, pings: 1_000_000 } } });
  bench.send(opening);
  bench.wire.isStuck = true;
  for (let i = 0; i < 100_000 && !bench.wire.isEnded; i++) bench.send(frame(F.ping, 0, 0, Buffer.alloc(8)));
  t.true(bench.wire.isEnded);
  t.true(bench.wire.pending < 2 * 1024 * 1024, `${bench.wire.pending} bytes wait`);
});

test('trailers, HEADERS and CONTINUATION that bring nothing are counted', (t) => {
  const bench = h2Server({ config: { floods: { ...limits, emptyFrames: 5 } } });
  bench.send(opening, frame(F.headers, 1, 1, get()));
  for (let i = 0; i < 10; i++) bench.send(frame(F.continuation, 0, 1));
  t.is(goAwayOf(bench), 11);
});
