import test from 'ava';
import { type Codec, Match } from '../../../src/core/contract/codec.ts';
import type { ConnectionEnding } from '../../../src/core/contract/network-filter.ts';
import { testMux } from '../../../src/testing/index.ts';
import { http1 } from '../../../src/transport/codecs/http1/index.ts';
import { Detector } from '../../../src/transport/detect/detector.ts';
import { NetworkBench } from './bench.ts';

/** Takes a connection over and says in whose name. */
function endingOf(name: string, taken: string[]): ConnectionEnding {
  return {
    serve: ({ wire }) => {
      let text = '';
      wire.attach({
        onBytes: (buf, a, b) => {
          text += buf.toString('latin1', a, b);
          taken[taken.length - 1] = `${name}:${text}`;
        },
        onDrain: () => {},
        onEnd: () => {},
        onClose: () => {},
      });
      taken.push(`${name}:`);
      return { wire } as never;
    },
  };
}

/** Knows its protocol by a word; undecided until the word is there or cannot come any more. */
function wordCodec(name: string, word: string): Codec {
  return {
    ...(http1 as Codec),
    name,
    match: (buf, start, end) => {
      const text = buf.toString('latin1', start, end);
      if (text.startsWith(word)) return Match.yes;
      return word.startsWith(text) ? Match.more : Match.no;
    },
  };
}

function detection(
  options: { maxBytes?: number; timeoutMs?: number; hasFallback?: boolean; words?: string[] } = {},
) {
  const bench = new NetworkBench();
  const taken: string[] = [];
  const candidates = (options.words ?? ['alpha', 'alpine']).map((word) => ({
    codec: wordCodec(word, word),
    ending: endingOf(word, taken),
  }));
  const { maxBytes = 64, timeoutMs = 1000, hasFallback = true } = options;
  const limits = { maxBytes, timeoutMs };
  const detector = new Detector(limits, candidates, hasFallback, 'l4', bench.context.metrics);
  return {
    bench,
    taken,
    accept: (split: number) => bench.accept([detector], endingOf('tcp', taken), { split }),
  };
}

test('the codec that knows the first bytes gets all of them, in pieces of any size', async (t) => {
  for (const split of [1, 3, 1000]) {
    const { bench, taken, accept } = detection();
    accept(split).client.send('alpine and more');
    await bench.settle();
    t.deepEqual(taken, ['alpine:alpine and more']);
    t.is(bench.value('heddle_listener_detected_total', { listener: 'l4', codec: 'alpine' }), 1);
    t.is(bench.time.wheel.armed, 0);
  }
});

test('what no codec knows goes to the fall-back, or is closed', async (t) => {
  const open = detection();
  open.accept(1).client.send('SSH-2.0');
  await open.bench.settle();
  t.deepEqual(open.taken, ['tcp:SSH-2.0']);

  const closed = detection({ hasFallback: false });
  const { client } = closed.accept(1);
  client.send('SSH-2.0');
  await closed.bench.settle();
  t.deepEqual(closed.taken, []);
  t.true(client.isEnded);
  t.is(closed.bench.value('heddle_listener_detected_total', { listener: 'l4', codec: 'unknown' }), 1);
});

test('a client that feeds it byte by byte is decided for when the time is up, counted from the accept', async (t) => {
  const { bench, taken, accept } = detection({ words: ['x'.repeat(60)] });
  const { client } = accept(1);
  for (let i = 0; i < 12; i++) {
    client.send('x');
    await bench.advance(90);
  }
  t.deepEqual(
    taken.map((each) => each.slice(0, 4)),
    ['tcp:'],
  );
});

test('bytes beyond the bound are not waited for', async (t) => {
  const { bench, taken, accept } = detection({ words: ['x'.repeat(60)], maxBytes: 10 });
  const { client } = accept(1);
  client.send('x'.repeat(9));
  await bench.settle();
  t.deepEqual(taken, []);
  client.send('x');
  await bench.settle();
  t.deepEqual(taken, [`tcp:${'x'.repeat(10)}`]);
});

test('a client that waits for the server to speak first gets the fall-back when the time is up', async (t) => {
  const { bench, taken, accept } = detection();
  accept(1);
  await bench.advance(900);
  t.deepEqual(taken, []);
  await bench.advance(200);
  t.deepEqual(taken, ['tcp:']);
});

test('a client that ends before it is decided goes to the fall-back with what it sent', async (t) => {
  const { bench, taken, accept } = detection();
  const { client } = accept(1);
  client.send('alp');
  client.wire.end();
  await bench.settle();
  t.deepEqual(taken, ['tcp:alp']);
});

test('a client that resets while undecided leaves nothing behind', async (t) => {
  const { bench, taken, accept } = detection();
  const { client, link } = accept(1);
  client.send('al');
  await bench.settle();
  link.reset();
  await bench.settle();
  t.deepEqual(taken, []);
  t.is(bench.left.length, 1);
  t.is(bench.time.wheel.armed, 0);
});

test('HTTP/1 and a binary protocol are told apart on one port', async (t) => {
  const bench = new NetworkBench();
  const taken: string[] = [];
  const candidates = [http1, testMux].map((codec) => ({
    codec: codec as Codec,
    ending: endingOf(codec.name, taken),
  }));
  const detector = new Detector(
    { maxBytes: 1024, timeoutMs: 1000 },
    candidates,
    true,
    'l4',
    bench.context.metrics,
  );
  const end = endingOf('tcp', taken);
  bench.accept([detector], end, { split: 1 }).client.send('POST /x HTTP/1.1\r\n\r\n');
  await bench.settle();
  bench.accept([detector], end, { split: 1 }).client.send(Buffer.from([0, 1, 2, 3]));
  await bench.settle();
  t.is(taken[0], 'http1:POST /x HTTP/1.1\r\n\r\n');
  t.false(taken[1]?.startsWith('http1'));
});
