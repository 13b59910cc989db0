import { HeadView } from '../../../core/base/head-view.ts';
import { Match } from '../../../core/contract/codec.ts';
import { CodecBench } from '../../codec-bench.ts';
import type { Exchange } from '../../recording-sink.ts';
import type { SuiteTest } from '../suite-test.ts';
import { assertAll, converse, type Subject, transcriptOf } from './conversation.ts';

/** What is said arrives, in both directions, however reads and writes are cut. */
export function roundTrip(test: SuiteTest, name: string, subject: Subject): void {
  const { codec, samples } = subject;
  const first = samples.exchanges[0];

  test(`${name}: every exchange arrives as it was sent`, (t) => {
    const bench = new CodecBench(codec, samples);
    converse(bench, samples.exchanges);
    assertAll(t, bench, samples.exchanges);
    t.is(bench.clientOwner.rooms, samples.exchanges.length, 'the connection was given back once a stream');
    t.is(bench.client.served, samples.exchanges.length);
  });

  test(`${name}: reads that are overwritten once they return change nothing`, (t) => {
    for (const split of [Number.POSITIVE_INFINITY, 1, 7]) {
      const bench = new CodecBench(codec, samples, { ownsReads: false, split });
      converse(bench, samples.exchanges);
      assertAll(t, bench, samples.exchanges);
    }
  });

  test(`${name}: a connection that takes few bytes at a time changes nothing`, (t) => {
    const bench = new CodecBench(codec, samples, { capacityBytes: 3, highWaterBytes: 5 });
    converse(bench, samples.exchanges);
    assertAll(t, bench, samples.exchanges);
  });

  test(`${name}: head and first body bytes leave in one write`, (t) => {
    for (const sample of samples.exchanges) {
      if ((sample.request.body ?? []).length > 1 || sample.request.trailers !== undefined) continue;
      const bench = new CodecBench(codec, samples);
      const before = bench.link.dialled.port.sent.length;
      bench.send(sample);
      bench.clientContext.flush();
      t.is(bench.link.dialled.port.sent.length, before + 1, sample.title);
    }
  });

  test(`${name}: the connection is given back before the last event, and may carry the next stream at once`, (t) => {
    const bench = new CodecBench(codec, samples);
    bench.answerInOrder();
    const rest = [...samples.exchanges.slice(1)];
    bench.clientOwner.onRoom = (client) => {
      t.true(client.room > 0);
      const next = rest.shift();
      if (next !== undefined) bench.send(next);
    };
    if (first !== undefined) bench.send(first);
    bench.settle();
    assertAll(t, bench, samples.exchanges);
  });

  test(`${name}: a stream begun by the last event of another gets the same connection`, (t) => {
    const bench = new CodecBench(codec, samples);
    bench.answerInOrder();
    const rest = [...samples.exchanges.slice(1)];
    const reused: boolean[] = [];
    bench.clientSink.onResponse = () => {
      const next = rest.shift();
      if (next === undefined) return;
      t.true(bench.client.room > 0, 'room before the last event');
      reused.push(bench.send(next).stream.reused);
    };
    if (first !== undefined) bench.send(first);
    bench.settle();
    assertAll(t, bench, samples.exchanges);
    t.true(
      reused.every((each) => each),
      'a connection that served before says so',
    );
  });

  test(`${name}: a local answer keeps its status`, (t) => {
    for (const status of [200, 404, 503]) {
      const head = new HeadView();
      codec.hijack(head, status, 'no\n');
      t.is(codec.statusOf(head), status);
    }
    const bench = new CodecBench(codec, samples);
    bench.serverSink.onRequest = (exchange: Exchange) => {
      const s = exchange.stream;
      codec.hijack(s.res, 503, 'no\n');
      bench.server.sendHead(s, s.res, Buffer.from('no\n'), 0, 3, true);
    };
    if (first === undefined) return;
    const asked = bench.send(first);
    bench.settle();
    t.true(asked.response?.isComplete);
    t.is(asked.response?.body.toString(), 'no\n');
  });

  test(`${name}: match knows its own bytes from every prefix on, and foreign ones`, (t) => {
    for (const request of transcriptOf(subject).requests.slice(0, 1)) {
      t.is(codec.match(request, 0, request.length), Match.yes);
      for (let end = 0; end <= request.length; end++) {
        t.false(codec.match(request, 0, end) === Match.no, `a prefix of ${end} bytes`);
      }
    }
    for (const foreign of samples.foreign) {
      t.is(codec.match(foreign, 0, foreign.length), Match.no, JSON.stringify(foreign.toString('latin1')));
      for (let end = 0; end <= foreign.length; end++) {
        t.false(codec.match(foreign, 0, end) === Match.yes, `a foreign prefix of ${end} bytes`);
      }
    }
  });
}
