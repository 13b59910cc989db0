import test from 'ava';
import { Code } from '../../../src/core/base/codes.ts';
import { type StreamFilter, Verdict } from '../../../src/core/contract/stream-filter.ts';
import { activeHosts, Harness } from './harness.ts';

const naming = (order: string[], name: string): StreamFilter => ({
  onRequestHead: () => {
    order.push(`>${name}`);
    return Verdict.continue;
  },
  onResponseHead: () => {
    order.push(`<${name}`);
    return Verdict.continue;
  },
  onStreamEnd: () => {
    order.push(`.${name}`);
  },
});

test('request hooks run stage by stage in configured order, response hooks in reverse', (t) => {
  const order: string[] = [];
  const h = new Harness({
    filters: [
      { ...naming(order, 'a'), stage: 'afterRoute' },
      { ...naming(order, 'b'), stage: 'beforeRoute' },
      { ...naming(order, 'c'), stage: 'afterHost' },
      { ...naming(order, 'd'), stage: 'beforeRoute' },
    ],
  });
  const s = h.begin();
  t.deepEqual(order, ['>b', '>d', '>a', '>c']);
  h.answer(s);
  t.deepEqual(order.slice(4), ['<d', '<c', '<b', '<a', '.a', '.b', '.c', '.d']);
});

test('a reply from a filter goes to the client and nothing goes upstream', (t) => {
  const h = new Harness({ filters: [{ onRequestHead: (s) => s.reply(403, 'no\n', { 'x-why': 'test' }) }] });
  h.begin();
  t.is(h.ups.length, 0);
  t.is(h.down.status, 403);
  t.is(h.down.headers['x-why'], 'test');
  t.is(h.down.headers['content-length'], '3');
  t.is(h.down.body, 'no\n');
});

test('a filter that replies to every answer replies to its own once, and the others see what is sent', (t) => {
  const seen: number[] = [];
  let asked = 0;
  const h = new Harness({
    filters: [
      {
        onResponseHead: (s) => {
          seen.push(s.res.status);
          return Verdict.continue;
        },
      },
      { onResponseHead: (s) => s.reply(599, `reply ${++asked}\n`, {}) },
    ],
  });
  h.answer(h.begin());
  t.is(asked, 2);
  t.is(h.down.status, 599);
  t.is(h.down.body, 'reply 2\n');
  t.deepEqual(seen, [599]);
});

test('a stopped request holds its body and goes on with the next filter', (t) => {
  let after = 0;
  const h = new Harness({
    filters: [
      { onRequestHead: () => Verdict.stop },
      {
        onRequestHead: () => {
          after++;
          return Verdict.continue;
        },
      },
    ],
  });
  const s = h.begin('POST', { body: 'one', end: false });
  h.proxy.requestData(s, Buffer.from('two'), 0, 3, true);
  t.is(after, 0);
  t.is(h.ups.length, 0);
  h.proxy.resume(s, s.gen);
  t.is(after, 1);
  t.is(h.up.body, 'onetwo');
  t.true(h.up.isEnded);
});

test('a stopped request whose body outgrows the limit pauses the client', (t) => {
  const h = new Harness({ filters: [{ onRequestHead: () => Verdict.stop }] });
  const s = h.begin('POST', { body: 'x'.repeat(1000), end: false });
  t.deepEqual(h.down.events, []);
  h.proxy.requestData(s, Buffer.alloc(100), 0, 100, false);
  t.deepEqual(h.down.events, ['pauseRead']);
  h.proxy.resume(s, s.gen);
  t.deepEqual(h.down.events, ['pauseRead', 'resumeRead']);
});

test('a promise is waited for; its rejection is a failed filter', async (t) => {
  const h = new Harness({ filters: [{ onRequestHead: () => Promise.resolve(Verdict.continue) }] });
  h.begin('POST', { body: 'late' });
  t.is(h.ups.length, 0);
  await Promise.resolve();
  await Promise.resolve();
  t.is(h.up.body, 'late');
  const failing = new Harness({ filters: [{ onRequestHead: () => Promise.reject(new Error('x')) }] });
  failing.begin();
  await Promise.resolve();
  await Promise.resolve();
  t.is(failing.down.status, 500);
  t.is(failing.down.headers['x-heddle-error'], 'filter_failed');
});

test('a promise that settles after the client left does nothing', async (t) => {
  const { promise, resolve } = Promise.withResolvers<Verdict>();
  const h = new Harness({ filters: [{ onRequestHead: () => promise }] });
  const s = h.begin();
  h.proxy.downstreamReset(s, Code.downstreamClosed);
  resolve(Verdict.continue);
  await promise;
  t.is(h.ups.length, 0);
  t.is(h.logged.length, 1);
});

for (const hook of ['onRequestHead', 'onResponseHead'] as const) {
  test(`a throw in ${hook} answers 500`, (t) => {
    const h = new Harness({
      filters: [
        {
          [hook]: () => {
            throw new Error('broken');
          },
        },
      ],
    });
    const s = h.begin();
    if (h.ups.length > 0) h.answer(s);
    t.is(h.logged[0]?.code, Code.filterFailed);
    t.is(h.logged.length, 1);
  });
}

test('onStreamEnd runs after a reset too, and its throw is harmless', (t) => {
  let ends = 0;
  const h = new Harness({
    filters: [
      {
        onStreamEnd: () => {
          ends++;
          throw new Error('x');
        },
      },
    ],
  });
  h.proxy.downstreamReset(h.begin(), Code.downstreamClosed);
  t.is(ends, 1);
  t.is(h.logged.length, 1);
});

test('close ends the stream without an answer', (t) => {
  const h = new Harness({ filters: [{ onRequestHead: () => Verdict.close }] });
  h.begin();
  t.deepEqual(h.down.events, [`reset ${Code.filterClosed}`]);
});

test('stopAndBuffer shows the whole body to the filter before the request is routed', (t) => {
  const seen: string[] = [];
  const h = new Harness({
    filters: [
      {
        onRequestHead: () => Verdict.stopAndBuffer,
        onRequestBody: (s, buf, a, b, end) => {
          seen.push(`${buf.toString('latin1', a, b)}${end ? '!' : ''}`);
          s.replaceBody(Buffer.from('changed'));
          return Verdict.continue;
        },
      },
    ],
  });
  const s = h.begin('POST', { body: 'one', end: false, headers: { 'content-length': '6' } });
  s.req.contentLength = 6;
  h.proxy.requestData(s, Buffer.from('two'), 0, 3, true);
  t.deepEqual(seen, ['onetwo!']);
  t.is(h.up.body, 'changed');
  t.is(h.up.headers['content-length'], '7');
});

test('a body that outgrows the buffer while it is collected is refused with 413', (t) => {
  const h = new Harness({ filters: [{ onRequestHead: () => Verdict.stopAndBuffer }] });
  const s = h.begin('POST', { body: 'x'.repeat(1000), end: false });
  h.proxy.requestData(s, Buffer.alloc(100), 0, 100, false);
  t.is(h.down.status, 413);
});

test('body hooks see every slice and may change it', (t) => {
  const h = new Harness({
    filters: [
      {
        onRequestBody: (s, buf, a, b) => {
          s.replaceBody(Buffer.from(buf.toString('latin1', a, b).toUpperCase()));
          return Verdict.continue;
        },
        onResponseBody: (s, buf, a, b) => {
          s.replaceBody(Buffer.from(`<${buf.toString('latin1', a, b)}>`));
          return Verdict.continue;
        },
      },
    ],
  });
  const s = h.begin('POST', { body: 'ab', end: false });
  h.proxy.requestData(s, Buffer.from('cd'), 0, 2, true);
  t.is(h.up.body, 'ABCD');
  h.answer(s, 200, 'x', false);
  h.proxy.responseData(s, Buffer.from('y'), 0, 1, true);
  t.is(h.down.body, '<x><y>');
});

test('a body hook that stops holds the rest until it is resumed', (t) => {
  let stops = 1;
  const h = new Harness({
    filters: [{ onRequestBody: () => (stops-- > 0 ? Verdict.stop : Verdict.continue) }],
  });
  const s = h.begin('POST', { body: 'ab', end: false });
  h.proxy.requestData(s, Buffer.from('cd'), 0, 2, true);
  t.is(h.up.body, '');
  h.proxy.resume(s, s.gen);
  t.is(h.up.body, 'abcd');
  t.true(h.up.isEnded);
});

test('a body hook may reply in the middle: the upstream is cancelled', (t) => {
  const h = new Harness({
    filters: [{ onRequestBody: (s, _b, _x, _y, end) => (end ? s.reply(422, 'bad') : Verdict.continue) }],
  });
  const s = h.begin('POST', { body: 'ab', end: false });
  h.proxy.requestData(s, Buffer.from('cd'), 0, 2, true);
  t.is(h.down.status, 422);
  t.is(h.up.events.at(-1), `reset ${Code.locallyClosed}`);
});

test('a response hook may collect the body and change it with its length', (t) => {
  const h = new Harness({
    filters: [
      {
        onResponseHead: () => Verdict.stopAndBuffer,
        onResponseBody: (s, buf, a, b) => {
          s.replaceBody(Buffer.concat([buf.subarray(a, b), Buffer.from('!')]));
          return Verdict.continue;
        },
      },
    ],
  });
  const s = h.begin();
  h.answer(s, 200, 'a', false);
  t.deepEqual(h.down.events, []);
  h.proxy.responseData(s, Buffer.from('b'), 0, 1, true);
  t.is(h.down.body, 'ab!');
  t.is(h.down.headers['content-length'], '3');
});

test('a filter can have the route matched again, but not for ever', (t) => {
  let asks = 2;
  const h = new Harness({
    filters: [
      { stage: 'afterRoute', onRequestHead: () => (asks-- > 0 ? Verdict.matchRouteAgain : Verdict.continue) },
    ],
  });
  h.begin();
  t.is(h.ups.length, 1);
  const endless = new Harness({
    filters: [{ stage: 'afterRoute', onRequestHead: () => Verdict.matchRouteAgain }],
  });
  endless.begin();
  t.is(endless.down.status, 500);
});

test('a filter that dislikes the host gets another one', (t) => {
  const seen: string[] = [];
  const h = new Harness({
    filters: [
      {
        stage: 'afterHost',
        onRequestHead: (s) => {
          seen.push(s.host?.address ?? '');
          return seen.length < 3 ? Verdict.chooseHostAgain : Verdict.continue;
        },
      },
    ],
  });
  h.begin();
  t.is(new Set(seen).size, 3);
  t.is(activeHosts(h), 1);
});

test('response hooks see local replies', (t) => {
  const h = new Harness({
    filters: [
      {
        onResponseHead: (s) => {
          s.res.set('x-seen', String(s.res.status));
          return Verdict.continue;
        },
      },
    ],
  });
  h.begin('GET', { path: '/none' });
  t.is(h.down.headers['x-seen'], '404');
});
