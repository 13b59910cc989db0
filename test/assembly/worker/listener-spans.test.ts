import test from 'ava';
import { ListenerSpans } from '../../../src/assembly/worker/listener-spans.ts';
import type { Pipeline } from '../../../src/core/contract/pipeline.ts';
import { Stream } from '../../../src/core/contract/stream.ts';
import { Verdict } from '../../../src/core/contract/stream-filter.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';

/** A pipeline with spans around it, whose own tracer says `own`. */
function rig() {
  const clock = new FakeClock();
  const asked: number[] = [];
  const ended: number[] = [];
  let resumed = 0;
  const spans = new ListenerSpans(
    {
      hasProvider: () => true,
      ask: (id) => void asked.push(id),
      ended: (id) => void ended.push(id),
    },
    clock,
  );
  const own = {
    start: (s: Stream) => s.req.set('traceparent', 'own'),
    end: (s: Stream) => (s.span as { onEnd(s: Stream): void } | null)?.onEnd(s),
  };
  const pipeline = spans.around({ tracer: own, filters: { beforeRoute: [] } } as unknown as Pipeline);
  const s = new Stream({ resume: () => resumed++ } as never);
  s.protocol = 'http1';
  pipeline.tracer?.start(s);
  const filter = pipeline.filters.beforeRoute[0];
  const verdict = filter?.onRequestHead?.(s);
  return { clock, spans, pipeline, s, asked, ended, verdict, resumed: () => resumed };
}

test('a stream waits for its span, takes over its position, and tells of its end once', (t) => {
  const { spans, pipeline, s, asked, ended, verdict, resumed } = rig();
  t.is(verdict, Verdict.stop);
  const [id = 0] = asked;
  t.true(id < 0, 'calls have the other numbers');
  s.req.add('b3', 'old');
  const fields = [
    ['traceparent', 'theirs'],
    ['b3', null],
  ] as const;
  spans.answered(id, fields);
  spans.answered(id, fields);
  t.deepEqual([s.req.get('traceparent'), s.req.get('b3'), resumed()], ['theirs', null, 1]);
  t.is(pipeline.filters.beforeRoute[0]?.onRequestHead?.(s), Verdict.continue, 'a second time it passes');
  pipeline.tracer?.end(s);
  t.deepEqual(ended, [id]);
});

test('a program that does not answer in time holds no stream', (t) => {
  const { clock, spans, s, asked, resumed } = rig();
  clock.advance(49);
  t.is(resumed(), 0);
  clock.advance(1);
  t.deepEqual([s.req.get('traceparent'), resumed()], ['own', 1]);
  spans.answered(asked[0] as number, [['traceparent', 'too late']]);
  t.deepEqual([s.req.get('traceparent'), resumed()], ['own', 1]);
});

test('a stream that ends before the answer is not woken', (t) => {
  const { clock, spans, pipeline, s, asked, ended, resumed } = rig();
  pipeline.tracer?.end(s);
  s.recycle();
  clock.advance(100);
  spans.answered(asked[0] as number, null);
  t.deepEqual([ended.length, resumed()], [1, 0]);
});
