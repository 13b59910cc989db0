import test from 'ava';
import { requestId } from '../../../src/core/filters/request-id.ts';
import { counted, createFilter, createRig, onRequest, onResponse, streamOf } from './harness.ts';

const uuid4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const withId = (id: string) => streamOf(`GET / HTTP/1.1\r\nhost: a\r\nX-Request-Id: ${id}\r\n`);

test('every request gets an id shaped as a UUID, none twice', (t) => {
  const rig = createRig();
  const filter = createFilter(requestId, {}, rig);
  const ids = new Set<string>();
  for (let i = 0; i < 2000; i++) {
    const s = streamOf();
    onRequest(filter, s);
    t.regex(s.requestId, uuid4);
    t.deepEqual(s.req.getAll('x-request-id'), [s.requestId]);
    ids.add(s.requestId);
  }
  t.is(ids.size, 2000);
  t.is(counted(rig, 'heddle_filter_request_id_made_total'), 2000);
});

test('an id that came along is kept', (t) => {
  const rig = createRig();
  const s = withId('client-7/a:b');
  onRequest(createFilter(requestId, {}, rig), s);
  t.is(s.requestId, 'client-7/a:b');
  t.is(s.req.getAll('x-request-id').length, 1);
  t.is(counted(rig, 'heddle_filter_request_id_kept_total'), 1);
});

for (const bad of ['', 'a b', 'a"b', 'a,b', 'a\\b', 'a\x7f', '\xe4', 'x'.repeat(129)]) {
  test(`an id such as ${JSON.stringify(bad.slice(0, 8))} is replaced`, (t) => {
    const s = withId(bad);
    onRequest(createFilter(requestId, {}, createRig()), s);
    t.regex(s.requestId, uuid4);
    t.deepEqual(s.req.getAll('x-request-id'), [s.requestId]);
  });
}

test('keepIncoming: false replaces every id, addToResponse sends it back, the header has another name', (t) => {
  const filter = createFilter(
    requestId,
    { header: 'X-Id', keepIncoming: false, addToResponse: true },
    createRig(),
  );
  const s = streamOf('GET / HTTP/1.1\r\nx-id: mine\r\n');
  onRequest(filter, s);
  t.regex(s.requestId, uuid4);
  onResponse(filter, s, 'HTTP/1.1 200 OK\r\nx-id: of-the-upstream\r\n');
  t.deepEqual(s.res.getAll('x-id'), [s.requestId]);
});

test('without addToResponse the filter has no response hook', (t) => {
  t.is(createFilter(requestId, {}, createRig()).onResponseHead, undefined);
});
