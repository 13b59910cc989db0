import { crc32 } from 'node:zlib';
import test from 'ava';
import { Code } from '../../../../src/core/base/codes.ts';
import { HeadView } from '../../../../src/core/base/head-view.ts';
import { readHeaderMap } from '../../../../src/transport/codecs/bolt/header-map.ts';
import {
  bolt,
  boltProtocol,
  boltStatusOf,
  httpStatusOf,
} from '../../../../src/transport/codecs/bolt/index.ts';
import { FramedRelay } from '../framed/relay.ts';
import { bytesOf, frame, headerMap, headerMaps, vectors } from './frames.ts';

const service = 'demo.Hello:1.0';
const facts = {
  headers: { service, sofa_head_method_name: 'say', a: '1', b: '2' },
  className: 'x.Request',
  content: 'body',
};

function changed(overrides: object, edit: (head: HeadView) => void): Buffer {
  const relay = new FramedRelay(bolt);
  relay.edit = (s) => edit(s.req);
  return relay.forward(frame({ ...facts, ...overrides }));
}

test('headers that a filter sets, adds and removes are in the frame; class and content are as they were', (t) => {
  for (const version of [
    {},
    { proto: 2, ver1: 1 },
    { proto: 2, ver1: 2 },
    { proto: 2, ver1: 2, crc: true },
  ] as const) {
    const sent = changed(version, (head) => {
      head.set('a', 'one');
      head.remove('b');
      head.add('rpc_req_baggage.New', 'x');
    });
    const headers = { service, sofa_head_method_name: 'say', a: 'one', 'rpc_req_baggage.New': 'x' };
    t.deepEqual(sent.toString('latin1'), frame({ ...facts, ...version, headers, id: 1 }).toString('latin1'));
  }
});

test('a header map that grows beyond 32,767 bytes fails its call and leaves the connection alone', (t) => {
  const relay = new FramedRelay(bolt);
  relay.edit = (s) => s.req.add('long', 'x'.repeat(32_768));
  t.is(relay.forward(frame({ ...facts, id: 7 })).length, 0);
  const answer = Buffer.concat(relay.down.writes);
  t.is(boltProtocol.idOf(answer, 0, answer.length), 7);
  t.is(answer.readUInt16BE(10), 9, 'CODEC_EXCEPTION');
  relay.edit = () => {};
  t.true(relay.forward(frame(facts)).length > 0);
});

test('another authority is another service: SOFARPC serves what the header says', (t) => {
  const sent = changed({}, (head) => {
    head.authority = 'demo.Other:2.0';
  });
  const { service: _, ...rest } = facts.headers;
  const headers = { service: 'demo.Other:2.0', ...rest };
  t.deepEqual(sent.toString('latin1'), frame({ ...facts, headers, id: 1 }).toString('latin1'));
});

test('answers are edited, too, and what nobody asked for is not read', (t) => {
  for (const crc of [false, true]) {
    const version = { proto: 2, ver1: 2, crc } as const;
    const relay = new FramedRelay(bolt);
    relay.forward(frame({ ...facts, ...version, id: 9 }));
    relay.editAnswer = (s) => {
      t.is(s.res.get('kept'), 'k');
      s.res.set('served-by', 'us');
    };
    const response = { type: 0, word: 0, className: 'x.Response', content: 'result', ...version } as const;
    const got = relay.answer(frame({ ...response, id: 1, headers: { kept: 'k' } }));
    const expected = frame({ ...response, id: 9, headers: { kept: 'k', 'served-by': 'us' } });
    t.deepEqual(got.toString('latin1'), expected.toString('latin1'));
  }
});

test('a large frame passes in pieces as it came, and can be edited', (t) => {
  const content = Buffer.alloc(200_000, 'abc');
  const relay = new FramedRelay(bolt);
  const sent = relay.forward(frame({ ...facts, content, id: 5 }), 50_000);
  t.true(sent.equals(frame({ ...facts, content, id: 1 })));
  const answer = { type: 0, className: 'r', content } as const;
  t.true(relay.answer(frame({ ...answer, id: 1 }), 30_000).equals(frame({ ...answer, id: 5 })));
  relay.edit = (s) => s.req.set('a', 'x');
  const edited = relay.forward(frame({ ...facts, content, id: 6 }), 50_000);
  const headers = { service, sofa_head_method_name: 'say', b: '2', a: 'x' };
  t.true(edited.equals(frame({ ...facts, headers, content, id: 2 })));
});

test('requests in one read, some edited, keep their order', (t) => {
  const relay = new FramedRelay(bolt);
  let count = 0;
  relay.edit = (s) => {
    if (count++ % 2 === 1) s.req.add('odd', '1');
  };
  const sent = relay.forward(Buffer.concat([1, 2, 3, 4].map((id) => frame({ ...facts, id }))));
  const odd = { ...facts, headers: { ...facts.headers, odd: '1' } };
  const expected = [1, 2, 3, 4].map((id) => frame({ ...(id % 2 === 0 ? odd : facts), id }));
  t.true(sent.equals(Buffer.concat(expected)));
});

test('header maps read as an independent parser reads them; null sides are passed over', (t) => {
  for (const { hex, decodesTo } of headerMaps) {
    const bytes = Buffer.from(hex, 'hex');
    const head = new HeadView();
    head.buf = bytes;
    head.exactNames = true;
    t.true(readHeaderMap(head, bytes, 0, bytes.length) >= 0);
    const got: Record<string, string> = {};
    head.forEach((name, value) => {
      got[Buffer.from(name, 'latin1').toString()] = Buffer.from(value, 'latin1').toString();
    });
    const expected = Object.entries(decodesTo ?? {}).filter(([, value]) => value !== null);
    t.deepEqual(got, Object.fromEntries(expected) as Record<string, string>);
  }
});

test('keys are told apart by case, and looked up so', (t) => {
  const relay = new FramedRelay(bolt);
  relay.edit = (s) => {
    t.is(s.req.get('rpc_trace_context.sofaTraceId'), 'T');
    t.is(s.req.get('rpc_trace_context.sofatraceid'), null);
  };
  relay.forward(frame({ headers: { service, 'rpc_trace_context.sofaTraceId': 'T' } }));
  t.is(relay.seen.length, 1);
});

test('every status of the vectors has its place in the scale of HTTP', (t) => {
  const scale = { 0: 200, 2: 500, 3: 500, 4: 503, 6: 500, 7: 504, 9: 500, 16: 502, 18: 500 } as Record<
    number,
    number
  >;
  for (const vector of vectors.filter(({ kind }) => kind === 'response')) {
    const status = vector.decoded.status ?? -1;
    t.is(httpStatusOf(status), scale[status] ?? 0, vector.name);
    const bytes = bytesOf(vector);
    t.is(boltProtocol.quickStatusOf?.(bytes, 0, bytes.length), scale[status]);
  }
  const mapped = [200, 404, 502, 503, 504, 403, 500, 429].map((status) => boltStatusOf(status));
  t.deepEqual(mapped, [0, 6, 16, 4, 7, 2, 3, 4]);
});

test('a failure has the id, version, serialization and checksum of its request', (t) => {
  for (const version of [{}, { proto: 2, ver1: 1 }, { proto: 2, ver1: 2, crc: true }] as const) {
    const relay = new FramedRelay(bolt);
    relay.forward(frame({ ...facts, ...version, id: 77, codec: 11 }));
    relay.client.onClose(Code.upstreamClosed);
    relay.context.flush();
    const got = Buffer.concat(relay.down.writes);
    const headers = { 'x-heddle-error': 'upstream_closed' };
    const expected = frame({ type: 0, word: 16, codec: 11, ...version, headers, id: 77 });
    t.deepEqual(got.toString('hex'), expected.toString('hex'));
    if ('crc' in version) t.is(got.readUInt32BE(got.length - 4), crc32(got.subarray(0, -4)));
  }
});

test('a request that names its service twice or lies about lengths never leaves', (t) => {
  const twice = Buffer.concat([headerMap({ service }), headerMap({ service: 'x' })]);
  for (const headers of [twice, Buffer.of(0, 0, 0, 200), Buffer.of(128, 0, 0, 0, 0, 0, 0, 0)]) {
    const relay = new FramedRelay(bolt);
    t.is(relay.forward(frame({ headers })).length, 0);
    t.is(relay.down.destroyedWith, Code.downstreamProtocol);
    t.is(relay.serverOwner.protocolErrors.length, 1);
  }
});
