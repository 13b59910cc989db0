import { MessageChannel } from 'node:worker_threads';
import test from 'ava';
import fc from 'fast-check';
import { HeadView } from '../../../src/core/base/head-view.ts';
import { pieceOf } from '../../../src/transport/worker/batch-writer.ts';
import { LinkStream } from '../../../src/transport/worker/flow.ts';
import { FrameFlag, FrameType, inlineBytes, windowBytes } from '../../../src/transport/worker/frame.ts';
import type { FrameView } from '../../../src/transport/worker/frame-view.ts';
import {
  writeData,
  writeHeadFrame,
  writeNumber,
  writeTrailers,
} from '../../../src/transport/worker/frame-writer.ts';
import { readHead } from '../../../src/transport/worker/heads.ts';
import { type FrameReceiver, ThreadLink } from '../../../src/transport/worker/link.ts';
import { createMailbox } from '../../../src/transport/worker/mailbox.ts';
import { within } from '../../mesh/support.ts';

interface Got {
  readonly what: string;
  readonly id: number;
  readonly flags: number;
  readonly key: number;
  readonly head: HeadView | null;
  readonly timeoutMs: number;
  readonly body: Buffer;
  readonly value: number;
}

/** Two ends of a link in one thread; the far one keeps what arrives. */
function pair(t: { teardown(run: () => void): void }) {
  const { port1, port2 } = new MessageChannel();
  const got: Got[] = [];
  const arrived = new Map<number, () => void>();
  let messages = 0;
  port2.on('message', () => messages++);
  const keep = (what: string, frame: FrameView, hasHead: boolean): void => {
    const head = hasHead ? new HeadView() : null;
    const timeoutMs = head === null ? 0 : readHead(head, frame.buf, frame.words, frame.at);
    const body = Buffer.from(frame.body.subarray(frame.bodyStart, frame.bodyEnd));
    add({ what, id: frame.id, flags: frame.flags, key: frame.key, head, timeoutMs, body, value: 0 });
  };
  const add = (one: Got): void => {
    got.push(one);
    arrived.get(got.length)?.();
  };
  const number = (what: string) => (id: number, value: number) =>
    add({ what, id, value, flags: 0, key: 0, head: null, timeoutMs: 0, body: Buffer.alloc(0) });
  const receiver: FrameReceiver = {
    onRequest: (frame) => keep('request', frame, true),
    onResponse: (frame) => keep('response', frame, true),
    onData: (frame) => keep('data', frame, false),
    onTrailers: (frame) => keep('trailers', frame, true),
    onFailed: (frame) => keep('failed', frame, false),
    onOutcome: (frame) => keep('outcome', frame, false),
    onReset: number('reset'),
    onCredit: number('credit'),
    onControl: () => number('control')(0, 0),
  };
  const [there, back] = [createMailbox(), createMailbox()];
  const near = new ThreadLink(port1, { out: there, in: back });
  const far = new ThreadLink(port2, { out: back, in: there });
  far.listen(receiver);
  t.teardown(() => {
    near.close();
    far.close();
  });
  const until = (count: number): Promise<void> =>
    within(
      new Promise<void>((resolve) => {
        if (got.length >= count) resolve();
        else arrived.set(count, resolve);
      }),
      `${count} frames`,
    );
  return { near, got, until, messageCount: () => messages };
}

const bytes = (length: number, seed: number): Buffer => {
  const buf = Buffer.alloc(length);
  for (let i = 0; i < length; i += 97) buf[i] = (i + seed) & 255;
  return buf;
};

const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,60}$/);
const value = fc.stringMatching(/^[\x21-\x7e\xa1-\xff]{0,300}$/);
const lengths = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.constantFrom(inlineBytes - 1, inlineBytes, inlineBytes + 1),
  fc.integer({ min: 0, max: 300_000 }),
);

test('heads and bodies of any shape arrive as they were written, in order', async (t) => {
  const { near, got, until } = pair(t);
  let count = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          fields: fc.array(fc.tuple(token, value), { maxLength: 12 }),
          removed: fc.integer({ min: 0, max: 12 }),
          path: fc.stringMatching(/^\/[a-z0-9/?=&%]{0,200}$/),
          contentLength: fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 2 ** 45 })),
          isRequest: fc.boolean(),
          end: fc.boolean(),
          length: lengths,
          timeoutMs: fc.integer({ min: 0, max: 100_000_000 }),
        }),
        { minLength: 1, maxLength: 8 },
      ),
      async (streams) => {
        const before = got.length;
        const written = streams.map((each) => {
          const head = new HeadView();
          for (const [name, text] of each.fields) head.add(name, text);
          if (each.removed < each.fields.length) head.removeAt(each.removed);
          head.contentLength = each.contentLength;
          head.chunked = each.contentLength < 0;
          if (each.isRequest) {
            head.methodText = 'POST';
            head.path = each.path;
            head.authority = 'users';
          } else head.status = 207;
          const buf = bytes(each.length, ++count);
          const frame = {
            type: each.isRequest ? FrameType.request : FrameType.response,
            id: count,
            flags: each.end ? FrameFlag.end : 0,
            key: count & 0xffff,
            timeoutMs: each.timeoutMs,
          };
          writeHeadFrame(near.writer, frame, head, { buf, a: 0, b: buf.length, isExclusive: false });
          return { head, buf, frame };
        });
        await until(before + streams.length);
        for (const [i, { head, buf, frame }] of written.entries()) {
          const one = got[before + i] as Got;
          const into = one.head as HeadView;
          t.is(one.id, frame.id);
          t.is(one.key, frame.key);
          t.is(one.flags & FrameFlag.end, frame.flags);
          t.is(one.timeoutMs, frame.timeoutMs);
          t.true(one.body.equals(buf));
          t.is(into.contentLength, head.contentLength);
          t.is(into.chunked, head.chunked);
          t.is(into.status, head.status);
          t.deepEqual(into.toObject(), head.toObject());
          if (frame.type === FrameType.request)
            t.deepEqual([into.method, into.path, into.authority], ['POST', head.path, 'users']);
        }
      },
    ),
    { numRuns: 40 },
  );
});

test('what one tick writes leaves as one message; numbers, trailers and messages of their own keep the order', async (t) => {
  const { near, got, until, messageCount } = pair(t);
  near.writer.isQuick = false;
  const trailers = new HeadView();
  trailers.add('x-sum', '7');
  for (let i = 0; i < 100; i++) {
    const buf = bytes(500, i);
    writeData(near.writer, i, { buf, a: 100, b: 300, isExclusive: false }, i === 99);
  }
  writeTrailers(near.writer, 7, trailers);
  writeNumber(near.writer, FrameType.credit, 8, 123_456);
  writeNumber(near.writer, FrameType.reset, 9, 29);
  await until(103);
  t.is(messageCount(), 1);
  t.true((got[42] as Got).body.equals(bytes(500, 42).subarray(100, 300)));
  t.is((got[99] as Got).flags, FrameFlag.end);
  t.is((got[100] as Got).head?.get('x-sum'), '7');
  t.like(got[101], { what: 'credit', id: 8, value: 123_456 });
  t.like(got[102], { what: 'reset', id: 9, value: 29 });
  writeNumber(near.writer, FrameType.credit, 1, 1);
  near.post({ type: 'own' });
  await until(105);
  t.deepEqual(
    got.slice(103).map(({ what }) => what),
    ['credit', 'control'],
  );
});

test('a buffer of exactly the bytes is given away, anything else is copied', (t) => {
  const own = new Uint8Array(20_000).fill(7);
  const buf = Buffer.from(own.buffer);
  t.is(pieceOf(buf, 0, buf.length, true), own.buffer);
  for (const [a, b, isExclusive] of [
    [0, 20_000, false],
    [1, 20_000, true],
    [0, 19_999, true],
  ] as const) {
    const piece = pieceOf(buf, a, b, isExclusive);
    t.not(piece, own.buffer);
    t.is(piece.byteLength, b - a);
  }
});

test('a tick that writes more than a batch holds is split, and the scratch is given back', async (t) => {
  const { near, got, until, messageCount } = pair(t);
  for (let i = 0; i < 200; i++) {
    const buf = bytes(inlineBytes, i);
    writeData(near.writer, i, { buf, a: 0, b: buf.length, isExclusive: false }, false);
  }
  const { buf } = near.writer;
  await until(200);
  t.true(messageCount() > 5);
  t.true(buf.length <= 1024 * 1024);
  t.true(got.every(({ body }, i) => body.equals(bytes(inlineBytes, i))));
});

test('a window is used up, granted in portions, and held while the consumer is full', (t) => {
  const granted: number[] = [];
  const writer = {
    begin: () => 0,
    words: new Int32Array(16),
    commit() {
      granted.push(writer.words[4] as number);
    },
  };
  const stream = new LinkStream(null as never, 4);
  t.true(stream.sent(windowBytes - 1));
  t.false(stream.sent(1));
  t.false(stream.granted(0));
  t.true(stream.granted(10));
  t.false(stream.granted(10), 'told once');
  const to = writer as never;
  stream.consumed(to, 1000);
  t.deepEqual(granted, []);
  stream.consumed(to, windowBytes / 4);
  t.deepEqual(granted, [windowBytes / 4 + 1000]);
  stream.isPaused = true;
  stream.consumed(to, windowBytes);
  t.is(granted.length, 1);
  stream.resumed(to);
  t.deepEqual(granted, [windowBytes / 4 + 1000, windowBytes]);
});
