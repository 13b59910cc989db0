import test from 'ava';
import { Code } from '../../../src/core/base/codes.ts';
import { Verdict } from '../../../src/core/contract/stream-filter.ts';
import { activeHosts, Harness } from './harness.ts';

test('a request without body leaves in one call and its answer comes back in one', (t) => {
  const h = new Harness();
  const s = h.begin('GET', { path: '/users?x=1' });
  t.deepEqual(h.up.events, ['head end']);
  t.is(h.up.path, '/users?x=1');
  h.answer(s, 200, 'hello');
  t.deepEqual(h.down.events, ['head +5 end']);
  t.is(h.down.body, 'hello');
  t.deepEqual(
    h.logged.map((each) => each.status),
    [200],
  );
  t.is(h.metrics.values[h.pipeline.slots.active], 0);
  t.is(h.value('status', { class: '2' }), 1);
});

test('head and first body bytes travel together, later bytes follow, the end is passed on once', (t) => {
  const h = new Harness();
  const s = h.begin('POST', { body: 'one', end: false });
  t.deepEqual(h.up.events, ['head +3']);
  h.proxy.requestData(s, Buffer.from('two'), 0, 3, false);
  h.proxy.requestData(s, Buffer.from('three'), 0, 5, true);
  t.deepEqual(h.up.events, ['head +3', 'data 3', 'data 5 end']);
  h.answer(s, 201);
  t.true(h.down.isEnded);
});

test('trailers end a message in both directions', (t) => {
  const h = new Harness();
  const s = h.begin('POST', { body: 'x', end: false });
  const trailers = h.proxy.acquire().req;
  trailers.add('x-sum', '7');
  h.proxy.requestTrailers(s, trailers);
  t.is(h.up.events.at(-1), 'trailers {"x-sum":"7"} end');
  h.answer(s, 200, 'body', false);
  h.proxy.responseTrailers(s, trailers);
  t.is(h.down.events.at(-1), 'trailers {"x-sum":"7"} end');
  t.is(h.logged.length, 1);
});

test('the host is given back before the last event reaches the caller', (t) => {
  const h = new Harness({ hosts: ['10.0.0.1:80'] });
  const s = h.begin();
  const host = s.host;
  let activeAtEnd = -1;
  const send = h.down.sendHead.bind(h.down);
  h.down.sendHead = (...args) => {
    activeAtEnd = host?.active ?? -1;
    return send(...args);
  };
  t.is(host?.active, 1);
  h.answer(s);
  t.is(activeAtEnd, 0);
});

test('no route answers 404 and says why', (t) => {
  const h = new Harness();
  h.begin('GET', { path: '/none' });
  t.is(h.down.status, 404);
  t.is(h.down.headers['x-heddle-error'], 'no_route');
  t.is(h.ups.length, 0);
  t.is(h.logged[0]?.code, Code.noRoute);
});

test('a cluster without hosts answers 503', (t) => {
  const h = new Harness({ hosts: [] });
  h.begin();
  t.is(h.down.status, 503);
  t.is(h.down.headers['x-heddle-error'], 'no_host');
});

test('a direct response and a redirect need no cluster', (t) => {
  const direct = new Harness({ route: { action: { kind: 'direct', status: 418, body: 'short' } } });
  direct.begin();
  t.is(direct.down.status, 418);
  t.is(direct.down.body, 'short');
  const redirect = new Harness({
    route: { action: { kind: 'redirect', status: 301, location: () => 'https://b.test/' } },
  });
  redirect.begin();
  t.is(redirect.down.status, 301);
  t.is(redirect.down.headers['location'], 'https://b.test/');
});

test('a client that goes away cancels the upstream and the stream is logged once', (t) => {
  const h = new Harness();
  const s = h.begin();
  h.proxy.downstreamReset(s, Code.downstreamClosed);
  t.deepEqual(h.up.events, ['head end', `reset ${Code.downstreamClosed}`]);
  t.is(h.logged.length, 1);
  t.is(h.logged[0]?.code, Code.downstreamClosed);
  t.is(activeHosts(h), 0);
});

test('an upstream that breaks off in the middle of an answer resets the downstream', (t) => {
  const h = new Harness();
  const s = h.begin();
  h.answer(s, 200, 'half', false);
  h.proxy.upstreamReset(s, Code.upstreamClosed);
  t.deepEqual(h.down.events, ['head +4', `reset ${Code.upstreamClosed}`]);
});

test('informational answers pass before the final one', (t) => {
  const h = new Harness();
  const s = h.begin();
  s.res.status = 103;
  h.proxy.responseInformational(s);
  h.answer(s, 200);
  t.deepEqual(h.down.events, ['informational 103', 'head end']);
});

test('an answer that begins before the request is complete ends the stream when it ends', (t) => {
  const h = new Harness();
  const s = h.begin('POST', { body: 'part', end: false });
  h.answer(s, 413, 'too much', true);
  t.deepEqual(h.down.events, ['head +8 end']);
  t.is(h.logged.length, 1);
});

test('a full downstream pauses the upstream until it can take more', (t) => {
  const h = new Harness();
  const s = h.begin();
  h.down.isFull = true;
  h.answer(s, 200, 'abc', false);
  t.true(h.up.events.includes('pauseRead'));
  h.down.isFull = false;
  h.proxy.writable(s, h.down);
  t.is(h.up.events.at(-1), 'resumeRead');
  h.proxy.responseData(s, Buffer.from('d'), 0, 1, true);
  t.is(h.down.body, 'abcd');
});

test('a full upstream pauses the downstream until it can take more', (t) => {
  const h = new Harness();
  const s = h.begin('POST', { body: 'a', end: false });
  h.up.isFull = true;
  h.proxy.requestData(s, Buffer.from('b'), 0, 1, false);
  t.deepEqual(h.down.events, ['pauseRead']);
  h.up.isFull = false;
  h.proxy.writable(s, h.up);
  t.deepEqual(h.down.events, ['pauseRead', 'resumeRead']);
});

test('a stream that waits for a pool place goes on when there is one', (t) => {
  const h = new Harness({ open: () => 'wait' });
  const s = h.begin('POST', { body: 'hello' });
  t.deepEqual(h.up.events, []);
  h.proxy.upstreamReady(s, h.up);
  t.deepEqual(h.up.events, ['head +5 end']);
});

test('a stream that is cancelled while it waits leaves the queue', (t) => {
  const h = new Harness({ open: () => 'wait' });
  const s = h.begin();
  h.proxy.downstreamReset(s, Code.downstreamClosed);
  t.is(h.cancelled.length, 1);
});

test('the route timeout answers 504 and cancels the upstream', (t) => {
  const h = new Harness({ route: { timeoutMs: 100 } });
  h.begin();
  h.clock.advance(130);
  t.is(h.down.status, 504);
  t.is(h.down.headers['x-heddle-error'], 'route_timeout');
  t.is(h.up.events.at(-1), `reset ${Code.routeTimeout}`);
});

test('the route clock starts when the request is complete', (t) => {
  const h = new Harness({ route: { timeoutMs: 100 } });
  const s = h.begin('POST', { body: 'a', end: false });
  h.clock.advance(500);
  t.deepEqual(h.down.events, []);
  h.proxy.requestData(s, Buffer.from('b'), 0, 1, true);
  h.clock.advance(130);
  t.is(h.down.status, 504);
});

test('the route clock stops at the head of the answer: a large body may take its time', (t) => {
  const h = new Harness({ route: { timeoutMs: 100 } });
  const s = h.begin();
  h.answer(s, 200, 'a', false);
  h.clock.advance(5000);
  h.proxy.responseData(s, Buffer.from('b'), 0, 1, true);
  t.deepEqual(h.down.events, ['head +1', 'data 1 end']);
});

test('a stream without bytes for the idle limit ends; bytes put it off', (t) => {
  const h = new Harness({ route: { timeoutMs: 0 }, pipeline: { streamIdleTimeoutMs: 1000 } });
  const s = h.begin();
  h.answer(s, 200, 'a', false);
  h.clock.advance(700);
  h.proxy.responseData(s, Buffer.from('b'), 0, 1, false);
  h.clock.advance(700);
  t.deepEqual(h.down.events, ['head +1', 'data 1']);
  h.clock.advance(400);
  t.is(h.down.events.at(-1), `reset ${Code.streamIdle}`);
});

test('an upgrade becomes a tunnel without route timeout, one that the route does not name is dropped', (t) => {
  const h = new Harness({ route: { timeoutMs: 100 } });
  const s = h.begin('GET', { upgrade: 'websocket', end: false });
  t.is(s.req.upgrade, 'websocket');
  h.answer(s, 101, '', false);
  t.true(s.isTunnel);
  h.clock.advance(1000);
  h.proxy.requestData(s, Buffer.from('ping'), 0, 4, false);
  t.is(h.up.body, 'ping');
  const other = new Harness();
  const dropped = other.begin('GET', { upgrade: 'foo' });
  t.is(dropped.req.upgrade, '');
});

for (const first of ['request', 'response'] as const) {
  test(`a tunnel whose ${first} side ends first carries the other side on to its end`, (t) => {
    const h = new Harness();
    const s = h.begin('GET', { upgrade: 'websocket', end: true });
    h.answer(s, 101, '', false);
    const nothing = Buffer.alloc(0);
    const more = Buffer.from('more');
    if (first === 'request') {
      h.proxy.requestData(s, nothing, 0, 0, true);
      h.proxy.responseData(s, more, 0, 4, false);
      t.is(h.down.body, 'more');
      h.proxy.responseData(s, nothing, 0, 0, true);
    } else {
      h.proxy.responseData(s, nothing, 0, 0, true);
      h.proxy.requestData(s, more, 0, 4, false);
      t.is(h.up.body, 'more');
      h.proxy.requestData(s, nothing, 0, 0, true);
    }
    t.true(h.up.isEnded && h.down.isEnded);
    t.is(h.logged.length, 1);
    t.is(h.logged[0]?.code, Code.none);
    t.is(activeHosts(h), 0);
  });
}

test('a path with dot segments is normalised before filters and routes see it', (t) => {
  let seen = '';
  const h = new Harness({
    filters: [
      {
        onRequestHead: (s) => {
          seen = s.req.path;
          return Verdict.continue;
        },
      },
    ],
  });
  h.begin('GET', { path: '/a/../b' });
  t.is(seen, '/b');
  t.is(h.up.path, '/b');
});

test('more held bytes than the mesh may hold refuse new streams', (t) => {
  const h = new Harness();
  h.proxy.context.budget.heldBytes = 1 << 29;
  h.begin();
  t.is(h.down.status, 503);
  t.is(h.down.headers['x-heddle-error'], 'buffer_overflow');
});

test('a recycled stream ignores what belongs to its former life', (t) => {
  const h = new Harness();
  const s = h.begin();
  const gen = s.gen;
  h.answer(s);
  t.not(s.gen, gen);
  t.notThrows(() => h.proxy.resume(s, gen));
  t.is(h.logged.length, 1);
});
