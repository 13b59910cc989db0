import test from 'ava';
import { payloadLimit } from '../../../src/core/filters/payload-limit.ts';
import { counted, createFilter, createRig, onRequest, parseConfig, route, streamOf } from './harness.ts';

const post = (headers: string) => streamOf(`POST / HTTP/1.1\r\nhost: a\r\n${headers}`);

test('a body announced too large is refused at once, with the documented key (MOSN’s never was)', (t) => {
  const rig = createRig();
  const filter = createFilter(payloadLimit, { maxBytes: 10 }, rig);
  const s = post('content-length: 11\r\n');
  t.is(onRequest(filter, s), 3);
  t.is(s.res.status, 413);
  t.is(s.res.get('x-heddle-error'), 'payload_too_large');
  t.is(onRequest(filter, post('content-length: 10\r\n')), 0);
  t.is(counted(rig, 'heddle_filter_payload_limit_refused_total'), 1);
});

test('a body that was not announced is refused when its bytes exceed the limit', (t) => {
  const filter = createFilter(payloadLimit, { maxBytes: 10 }, createRig());
  const s = post('transfer-encoding: chunked\r\n');
  t.is(onRequest(filter, s), 0);
  const chunk = Buffer.alloc(20);
  t.is(filter.onRequestBody?.(s, chunk, 0, 6, false), 0);
  t.is(filter.onRequestBody?.(s, chunk, 6, 10, false), 0);
  t.is(filter.onRequestBody?.(s, chunk, 10, 11, true), 3);
  t.is(s.res.status, 413);
});

test('once the answer has begun the stream is closed instead', (t) => {
  const filter = createFilter(payloadLimit, { maxBytes: 1 }, createRig());
  const s = post('transfer-encoding: chunked\r\n');
  onRequest(filter, s);
  s.responseStarted = true;
  t.is(filter.onRequestBody?.(s, Buffer.alloc(2), 0, 2, false), 6);
});

test('a route has its own limit and status, or none; 0 bytes means no body at all', (t) => {
  const filter = createFilter(payloadLimit, { maxBytes: 0 }, createRig());
  t.is(onRequest(filter, post('content-length: 1\r\n')), 3);
  t.is(onRequest(filter, post('content-length: 0\r\n')), 0);
  const own = post('content-length: 5\r\n');
  own.route = route({ filterConfigs: [parseConfig(payloadLimit.config, { maxBytes: 4, status: 400 })] });
  t.is(onRequest(filter, own), 3);
  t.is(own.res.status, 400);
  const off = post('content-length: 5\r\n');
  off.route = route({ filterConfigs: [false] });
  t.is(onRequest(filter, off), 0);
});

test('the limit must be given and be a whole number', (t) => {
  for (const bad of [{}, { maxBytes: -1 }, { maxBytes: 1.5 }, { maxBytes: '10' }, { max_entity_size: 10 }]) {
    t.throws(() => parseConfig(payloadLimit.config, bad));
  }
});
