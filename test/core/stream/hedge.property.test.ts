import test from 'ava';
import fc from 'fast-check';
import { Code } from '../../../src/core/base/codes.ts';
import type { Stream } from '../../../src/core/contract/stream.ts';
import { makeRoute } from '../../../src/core/route/make-route.ts';
import { activeHosts, Harness, type RecordingEnd } from './harness.ts';

type Step =
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'answer'; readonly which: number; readonly status: number; readonly end: boolean }
  | { readonly kind: 'more' | 'fail' | 'ready'; readonly which: number }
  | { readonly kind: 'leave' };

const which = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('advance' as const), ms: fc.constantFrom(10, 60, 400) }),
  fc.record({
    kind: fc.constant('answer' as const),
    which,
    status: fc.constantFrom(200, 302, 404, 500, 503),
    end: fc.boolean(),
  }),
  fc.record({ kind: fc.constantFrom('more' as const, 'fail' as const, 'ready' as const), which }),
  fc.constant({ kind: 'leave' as const }),
);
const opening = fc.array(
  fc.constantFrom('end' as const, 'end' as const, 'wait' as const, Code.connectFailure),
  {
    minLength: 12,
    maxLength: 12,
  },
);

/** A mesh of one route with hedging and retries, and what the tries of its only request are doing. */
class Run {
  readonly h: Harness;
  readonly #answered = new Set<RecordingEnd>();

  constructor(open: readonly ('end' | 'wait' | number)[], isPerTry: boolean) {
    const action = { kind: 'forward', cluster: { name: 'c', current: null } } as const;
    const route = makeRoute({ name: 'hedge', virtualHost: 'v', action, timeoutMs: 0 });
    this.h = new Harness({
      open: (n) => open[n - 1] ?? 'end',
      retry: { numRetries: 1, perTryTimeoutMs: isPerTry ? 50 : 0 },
      route: {
        timeoutMs: 2000,
        hedge: { route, delayMs: isPerTry ? 0 : 50, maxHedges: 2 },
        internalRedirect: { maxRedirects: 1, codes: new Set([302]), allowCrossScheme: false, hosts: [] },
      },
    });
  }

  apply(step: Step): void {
    const { h } = this;
    if (step.kind === 'advance') h.clock.advance(step.ms);
    else if (step.kind === 'leave') {
      if (this.#isOpen()) h.proxy.downstreamReset(h.stream as Stream, Code.downstreamClosed);
    } else if (step.kind === 'ready') this.#ready(step.which);
    else {
      const up = h.ups[step.which];
      if (up?.stream == null || this.#isOver(up)) return;
      if (step.kind === 'answer') this.#answer(up, up.stream, step.status, step.end);
      else if (step.kind === 'fail') this.#fail(up, up.stream);
      else if (this.#answered.has(up)) h.proxy.responseData(up.stream, Buffer.from('more'), 0, 4, false);
    }
  }

  finish(): void {
    for (let i = 0; i < 8; i++) this.h.clock.advance(400_000);
  }

  #isOpen(): boolean {
    return this.h.logged.length === 0;
  }

  #isOver(up: RecordingEnd): boolean {
    return up.events.some((event) => event.startsWith('reset')) || up.headers['test-over'] === 'yes';
  }

  #answer(up: RecordingEnd, s: Stream, status: number, end: boolean): void {
    if (this.#answered.has(up)) return;
    this.#answered.add(up);
    if (end) up.headers['test-over'] = 'yes';
    s.res.reset();
    s.res.status = status;
    if (status === 302) s.res.add('location', '/next');
    this.h.proxy.responseHead(s, Buffer.from('x'), 0, 1, end);
  }

  #fail(up: RecordingEnd, s: Stream): void {
    up.headers['test-over'] = 'yes';
    this.h.proxy.upstreamReset(s, Code.upstreamReset);
  }

  #ready(index: number): void {
    const s = this.h.waiters[index];
    if (s === undefined || !s.isWaiting || this.h.cancelled.includes(s)) return;
    const up = this.h.ups.find((each) => each.stream === null && each.events.length === 0);
    if (up !== undefined) this.h.proxy.upstreamReady(s, up);
  }
}

test('whatever happens to the tries, there is one answer, one log line, and everything is given back', (t) => {
  fc.assert(
    fc.property(opening, fc.boolean(), fc.array(step, { maxLength: 25 }), (open, isPerTry, steps) => {
      const run = new Run(open, isPerTry);
      const { h } = run;
      h.begin('PUT', { body: 'hello' });
      for (const each of steps) run.apply(each);
      run.finish();
      t.is(h.logged.length, 1);
      t.is(h.down.events.filter((event) => event.startsWith('head')).length <= 1, true);
      t.is(h.proxy.active, 0);
      t.is(activeHosts(h), 0);
      t.is(h.cluster.breakers.retries, 0);
      t.is(h.cluster.breakers.requests, 0);
      t.is(h.proxy.context.wheel.armed, 0);
    }),
    { numRuns: 1500, seed: 17 },
  );
  t.pass();
});
