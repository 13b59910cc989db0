import type { CodecState } from '../../../core/contract/codec.ts';
import { CodecBench } from '../../codec-bench.ts';
import type { SuiteTest } from '../suite-test.ts';
import { assertAll, RawToServer, type Subject, transcriptOf } from './conversation.ts';

/** A connection that stands at a message boundary goes on in a fresh instance, with the bytes it held back. */
export function moving(test: SuiteTest, name: string, subject: Subject): void {
  const { codec, samples } = subject;

  test(`${name}: both ends move to fresh instances after every exchange and go on`, (t) => {
    const bench = new CodecBench(codec, samples);
    bench.answerInOrder();
    samples.exchanges.forEach((sample, i) => {
      bench.send(sample);
      bench.settle();
      t.true(bench.moveServer(), `the server moves after exchange ${i}`);
      t.true(bench.moveClient(), `the client moves after exchange ${i}`);
    });
    assertAll(t, bench, samples.exchanges);
  });

  test(`${name}: a server moves with every number of bytes of the next request already there`, (t) => {
    const { requests } = transcriptOf(subject);
    const whole = new RawToServer(subject);
    whole.feed(...requests);
    for (let boundary = 0; boundary < requests.length; boundary++) {
      const next = requests[boundary] as Buffer;
      for (let held = 0; held < next.length; held++) {
        const title = `after ${boundary} requests and ${held} bytes`;
        const raw = new RawToServer(subject);
        raw.feed(...requests.slice(0, boundary), next.subarray(0, held));
        const isIdle = raw.server.isIdle();
        if (held === 0) t.true(isIdle, `${title}: idle`);
        const cutPoint = raw.server.cutPoint();
        t.true(cutPoint <= held, `${title}: cut point`);
        const moved = moveRaw(raw, subject);
        t.is(moved !== null, isIdle, `${title}: it moves when it is idle`);
        if (moved !== null) t.is(moved.unread.length, cutPoint, `${title}: held bytes travel`);
        raw.feed(next.subarray(held), ...requests.slice(boundary + 1));
        t.deepEqual(raw.requests, whole.requests, title);
        t.deepEqual(raw.sink.offences, [], title);
      }
    }
  });

  test(`${name}: bytes that came but were not read travel too`, (t) => {
    const { requests } = transcriptOf(subject);
    const raw = new RawToServer(subject);
    raw.feed(requests[0] as Buffer);
    // On the wire, not delivered: the move finds them unread.
    const second = requests[1] as Buffer;
    raw.link.dialled.write(second, 0, second.length);
    t.true(moveRaw(raw, subject) !== null);
    raw.settle();
    t.is(raw.completeRequests, 2);
  });

  test(`${name}: a state of another codec or version is refused`, (t) => {
    const state = new CodecBench(codec, samples).server.exportState() as CodecState;
    for (const wrong of [
      { ...state, codec: 'another' },
      { ...state, version: 1_000_000 },
    ]) {
      const bench = new CodecBench(codec, samples);
      let thrown = '';
      try {
        bench.server.importState(wrong);
      } catch (error) {
        thrown = (error as { code?: string }).code ?? String(error);
      }
      t.true(thrown.startsWith('ERR_'), `refused: ${wrong.codec} ${wrong.version}`);
    }
  });

  test(`${name}: a connection with a stream in progress is not idle`, (t) => {
    const bench = new CodecBench(codec, samples);
    t.true(bench.server.isIdle() && bench.client.isIdle(), 'idle when new');
    const asked = bench.send(samples.exchanges[0] as (typeof samples.exchanges)[0]);
    bench.settle();
    t.false(bench.server.isIdle() || bench.client.isIdle(), 'busy in between');
    t.is(bench.server.exportState(), null);
    t.is(bench.client.exportState(), null);
    const served = bench.serverSink.exchanges[0];
    if (served !== undefined) bench.answer(served, samples.exchanges[0] as (typeof samples.exchanges)[0]);
    bench.settle();
    t.true(asked.response?.isComplete);
    t.true(bench.server.isIdle() && bench.client.isIdle(), 'idle afterwards');
    t.true(bench.serverOwner.idleCalls > 0, 'the listener was told');
  });
}

function moveRaw(raw: RawToServer, { codec, samples }: Subject): CodecState | null {
  const state = raw.server.exportState();
  if (state === null) return null;
  const { wire, unread } = raw.link.move('accepted');
  raw.server = codec.server(wire, raw.context, raw.owner, samples.config);
  raw.server.importState(state);
  wire.port.putBack(unread);
  return state;
}
