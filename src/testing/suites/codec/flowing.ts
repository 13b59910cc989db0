import { Code } from '../../../core/base/codes.ts';
import type { StreamEnd } from '../../../core/contract/stream-end.ts';
import { CodecBench } from '../../codec-bench.ts';
import { type ExchangeSample, fillRequest, fillResponse } from '../../codec-samples.ts';
import type { Exchange } from '../../recording-sink.ts';
import type { SuiteAssertions, SuiteTest } from '../suite-test.ts';
import { assertExchange, type Subject } from './conversation.ts';

const chunkBytes = 8 * 1024;
const bodyBytes = 1024 * 1024;
/** What may be under way between two ends that respect back-pressure: kernel, queues and one window on each side. */
const inFlightBytes = 384 * 1024;
const slowLink = { capacityBytes: 16 * 1024, highWaterBytes: 64 * 1024 };

/** Back-pressure, reset and drain. */
export function flowing(test: SuiteTest, name: string, subject: Subject): void {
  const { codec, samples } = subject;
  const first = samples.exchanges[0] as ExchangeSample;
  const second = samples.exchanges[1] as ExchangeSample;

  if (samples.wholeMessages !== true) pausing(test, name, subject);

  test(`${name}: a server that resets a stream ends it once for the client`, (t) => {
    const bench = new CodecBench(codec, samples);
    const asked = bench.send(first);
    bench.settle();
    const served = bench.serverSink.exchanges[0] as Exchange;
    bench.server.reset(served.stream, Code.upstreamReset);
    bench.serverSink.finish(served);
    bench.settle();
    // A protocol without a reset says so by an answer that is a failure.
    const isFailure = asked.response?.isComplete === true && asked.response.status >= 500;
    t.is(asked.resets.length + (isFailure ? 1 : 0), 1);
    t.is(bench.server.active, 0);
    t.is(bench.client.active, 0);
    assertNext(t, bench, second);
  });

  test(`${name}: a client that resets a stream ends it once for the server`, (t) => {
    const bench = new CodecBench(codec, samples);
    const asked = bench.send(first);
    bench.settle();
    bench.client.reset(asked.stream, Code.aborted);
    bench.clientSink.finish(asked);
    bench.settle();
    // A FIN alone may be a client that still reads: then the server learns of it by the RST that its answer meets.
    if (bench.serverSink.exchanges[0]?.resets.length === 0) bench.link.reset();
    bench.settle();
    t.is(bench.serverSink.exchanges[0]?.resets.length, 1);
    t.deepEqual([...bench.clientSink.offences, ...bench.serverSink.offences], []);
    t.is(bench.client.active, 0);
    assertNext(t, bench, second);
  });

  test(`${name}: a broken connection resets its streams once, on both sides`, (t) => {
    const bench = new CodecBench(codec, samples);
    const asked = bench.send(first);
    bench.settle();
    bench.link.reset();
    bench.settle();
    t.deepEqual(asked.resets.length, 1);
    t.deepEqual(bench.serverSink.exchanges[0]?.resets.length, 1);
    t.is(bench.serverOwner.closedCodecs.length, 1);
    t.true(bench.clientOwner.goneCodes.length > 0);
    t.is(bench.client.room, 0);
  });

  test(`${name}: a connect that fails resets the stream with its code and no byte was sent`, (t) => {
    const bench = new CodecBench(codec, samples, { isConnecting: true });
    const asked = bench.send(first);
    bench.clientContext.flush();
    bench.link.refuse();
    bench.settle();
    t.deepEqual(asked.resets, [Code.connectFailure]);
    t.deepEqual(bench.clientOwner.goneCodes.slice(0, 1), [Code.connectFailure]);
    t.is(bench.link.sentBy('dialled').length, 0);
    const connected = new CodecBench(codec, samples, { isConnecting: true });
    connected.answerInOrder();
    const later = connected.send(first);
    connected.clientContext.flush();
    connected.link.connect();
    connected.settle();
    t.true(later.response?.isComplete, 'what was sent while connecting leaves once connected');
    t.is(connected.clientOwner.connects, 1);
  });

  test(`${name}: drain ends an idle connection at once`, (t) => {
    for (const side of ['server', 'client'] as const) {
      const bench = new CodecBench(codec, samples);
      bench.answerInOrder();
      bench.send(first);
      bench.settle();
      bench[side].drain();
      bench.settle();
      t.is(bench.client.room, 0, side);
      t.true(bench.link.accepted.isClosed && bench.link.dialled.isClosed, `${side}: closed`);
      t.is(bench.serverOwner.closedCodecs.length, 1, side);
      t.true(bench.clientOwner.goneCodes.length > 0, side);
    }
  });

  test(`${name}: drain lets a stream finish and then ends the connection`, (t) => {
    for (const side of ['server', 'client'] as const) {
      const bench = new CodecBench(codec, samples);
      const asked = bench.send(first);
      bench.settle();
      bench[side].drain();
      bench.settle();
      const served = bench.serverSink.exchanges[0] as Exchange;
      bench.answer(served, first);
      bench.settle();
      assertExchange(t, served, asked, first);
      t.is(bench.client.room, 0, `${side}: no new stream`);
      t.true(bench.link.accepted.isClosed && bench.link.dialled.isClosed, `${side}: closed`);
    }
  });

  if (codec.poolMode !== 'multiplex') return;
  test(`${name}: streams of one connection do not hold each other up`, (t) => {
    const bench = new CodecBench(codec, samples);
    const paused = bench.send(first);
    const other = bench.send(second);
    bench.settle();
    bench.client.pauseRead(paused.stream);
    bench.answer(bench.serverSink.exchanges[1] as Exchange, second);
    bench.settle();
    assertExchange(t, bench.serverSink.exchanges[1] as Exchange, other, second);
    bench.client.resumeRead(paused.stream);
    bench.answer(bench.serverSink.exchanges[0] as Exchange, first);
    bench.settle();
    assertExchange(t, bench.serverSink.exchanges[0] as Exchange, paused, first);
  });
}

/** Bodies that flow are held when their reader pauses. */
function pausing(test: SuiteTest, name: string, { codec, samples }: Subject): void {
  const first = samples.exchanges[0] as ExchangeSample;

  test(`${name}: a reader that pauses holds the sender of an answer, and gets every byte later`, (t) => {
    const bench = new CodecBench(codec, samples, slowLink);
    const asked = bench.send(first);
    bench.settle();
    const served = bench.serverSink.exchanges[0] as Exchange;
    const s = served.stream;
    fillResponse(s.res, { status: 200, body: ['a', 'b'] });
    bench.clientSink.onResponseHead = () => bench.client.pauseRead(asked.stream);
    const pump = new Pump(bench, served, () => s.down as StreamEnd);
    pump.head((end, buf) => end.sendHead(s, s.res, buf, 0, buf.length, false));
    pump.run();
    assertHeld(t, pump.sentBytes, asked.response?.body.length ?? 0);
    bench.clientSink.onResponseHead = () => {};
    bench.client.resumeRead(asked.stream);
    pump.run();
    t.true(asked.response?.isComplete);
    t.true(asked.response?.body.equals(pump.all));
    t.deepEqual(bench.clientSink.offences, []);
  });

  test(`${name}: a server that pauses holds the sender of a request, and gets every byte later`, (t) => {
    const bench = new CodecBench(codec, samples, slowLink);
    const asked = bench.begin();
    const s = asked.stream;
    fillRequest(s.req, { ...first.request, method: 'POST', body: ['a', 'b'] });
    bench.serverSink.onRequestHead = (served) => bench.server.pauseRead(served.stream);
    const pump = new Pump(bench, asked, () => s.up as StreamEnd);
    pump.head((end, buf) => end.sendHead(s, s.req, buf, 0, buf.length, false));
    pump.run();
    const served = bench.serverSink.exchanges[0] as Exchange;
    assertHeld(t, pump.sentBytes, served.request?.body.length ?? 0);
    bench.server.resumeRead(served.stream);
    pump.run();
    t.true(served.request?.isComplete);
    t.true(served.request?.body.equals(pump.all));
    bench.answer(served, first);
    bench.settle();
    t.true(asked.response?.isComplete);
  });
}

/** Sends a large body no faster than the end takes it. */
class Pump {
  readonly all = Buffer.alloc(bodyBytes);
  sentBytes = 0;
  readonly #bench: CodecBench;
  readonly #exchange: Exchange;
  readonly #end: () => StreamEnd;
  #isFull = false;
  #seenWritable = 0;

  constructor(bench: CodecBench, exchange: Exchange, end: () => StreamEnd) {
    this.#bench = bench;
    this.#exchange = exchange;
    this.#end = end;
    for (let i = 0; i < bodyBytes; i++) this.all[i] = (i * 31 + (i >> 8)) & 255;
  }

  head(send: (end: StreamEnd, buf: Buffer) => boolean): void {
    this.#isFull = !send(this.#end(), this.#next());
  }

  /** Goes on until the end is full and nothing moves any more, or all is sent. */
  run(): void {
    for (;;) {
      this.#bench.settle();
      if (this.#exchange.writable > this.#seenWritable) this.#isFull = false;
      this.#seenWritable = this.#exchange.writable;
      if (this.#isFull || this.sentBytes === bodyBytes) return;
      const chunk = this.#next();
      const isEnd = this.sentBytes === bodyBytes;
      this.#isFull = !this.#end().sendData(this.#exchange.stream, chunk, 0, chunk.length, isEnd);
      chunk.fill(0xdd);
    }
  }

  #next(): Buffer {
    const chunk = Buffer.from(this.all.subarray(this.sentBytes, this.sentBytes + chunkBytes));
    this.sentBytes += chunk.length;
    return chunk;
  }
}

function assertHeld(t: SuiteAssertions, sentBytes: number, gotBytes: number): void {
  t.true(sentBytes < bodyBytes, 'the sender was held');
  t.true(sentBytes - gotBytes <= inFlightBytes, `${sentBytes - gotBytes} bytes are under way`);
}

/** After a reset: a shared connection goes on, one that carried a single stream takes no more. */
function assertNext(t: SuiteAssertions, bench: CodecBench, sample: ExchangeSample): void {
  if (bench.client.room === 0) {
    t.true(bench.clientOwner.goneCodes.length > 0, 'the pool was told');
    return;
  }
  const asked = bench.send(sample);
  bench.settle();
  const served = bench.serverSink.exchanges.at(-1) as Exchange;
  bench.answer(served, sample);
  bench.settle();
  assertExchange(t, served, asked, sample);
}
