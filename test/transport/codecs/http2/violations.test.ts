import test from 'ava';
import { Code } from '../../../../src/core/base/codes.ts';
import { answer } from '../http1/harness.ts';
import {
  BlockReader,
  block,
  F,
  type Frame,
  frame,
  get,
  h2Client,
  h2Server,
  opening,
  post,
  preface,
  settings,
  u32,
} from './harness.ts';

const end = 1;
const endHeaders = 4;
const both = 5;
const longText = 'x'.repeat(40_000);

type Bytes = readonly Buffer[];
interface Case {
  readonly title: string;
  readonly bytes: Bytes;
  /** The error code that must be sent. */
  readonly error: number;
}

const head = (id: number, flags = both, payload = get()): Buffer => frame(F.headers, flags, id, payload);
const openStream = head(1, endHeaders, post());

/** What must end the connection with GOAWAY. */
const fatal: readonly Case[] = [
  { title: 'a preface that is wrong', bytes: [Buffer.from('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n')], error: 1 },
  { title: 'no SETTINGS first', bytes: [preface, frame(F.ping, 0, 0, Buffer.alloc(8))], error: 1 },
  { title: 'SETTINGS with ACK first', bytes: [preface, frame(F.settings, 1, 0)], error: 1 },
  {
    title: 'a frame above the size limit',
    bytes: [opening, frame(F.data, 0, 1, Buffer.alloc(16_385)).subarray(0, 9)],
    error: 6,
  },
  { title: 'SETTINGS on a stream', bytes: [opening, frame(F.settings, 0, 1)], error: 1 },
  { title: 'SETTINGS of five bytes', bytes: [opening, frame(F.settings, 0, 0, Buffer.alloc(5))], error: 6 },
  {
    title: 'SETTINGS ACK with a payload',
    bytes: [opening, frame(F.settings, 1, 0, Buffer.alloc(6))],
    error: 6,
  },
  { title: 'ENABLE_PUSH 2', bytes: [opening, frame(F.settings, 0, 0, settings([2, 2]))], error: 1 },
  {
    title: 'INITIAL_WINDOW_SIZE 2^31',
    bytes: [opening, frame(F.settings, 0, 0, settings([4, 2 ** 31]))],
    error: 3,
  },
  {
    title: 'MAX_FRAME_SIZE below 16 KiB',
    bytes: [opening, frame(F.settings, 0, 0, settings([5, 16_383]))],
    error: 1,
  },
  {
    title: 'MAX_FRAME_SIZE of 2^24',
    bytes: [opening, frame(F.settings, 0, 0, settings([5, 2 ** 24]))],
    error: 1,
  },
  {
    title: 'ENABLE_CONNECT_PROTOCOL 2',
    bytes: [opening, frame(F.settings, 0, 0, settings([8, 2]))],
    error: 1,
  },
  {
    title: 'ENABLE_CONNECT_PROTOCOL taken back',
    bytes: [opening, frame(F.settings, 0, 0, settings([8, 1])), frame(F.settings, 0, 0, settings([8, 0]))],
    error: 1,
  },
  { title: 'PING on a stream', bytes: [opening, frame(F.ping, 0, 1, Buffer.alloc(8))], error: 1 },
  { title: 'PING of seven bytes', bytes: [opening, frame(F.ping, 0, 0, Buffer.alloc(7))], error: 6 },
  { title: 'GOAWAY on a stream', bytes: [opening, frame(F.goAway, 0, 1, Buffer.alloc(8))], error: 1 },
  { title: 'GOAWAY of seven bytes', bytes: [opening, frame(F.goAway, 0, 0, Buffer.alloc(7))], error: 6 },
  {
    title: 'WINDOW_UPDATE of three bytes',
    bytes: [opening, frame(F.window, 0, 0, Buffer.alloc(3))],
    error: 6,
  },
  { title: 'WINDOW_UPDATE of nothing', bytes: [opening, frame(F.window, 0, 0, u32(0))], error: 1 },
  {
    title: 'a window of the connection beyond 2^31 - 1',
    bytes: [opening, frame(F.window, 0, 0, u32(2 ** 31 - 1))],
    error: 3,
  },
  { title: 'WINDOW_UPDATE on an idle stream', bytes: [opening, frame(F.window, 0, 5, u32(1))], error: 1 },
  { title: 'RST_STREAM on an idle stream', bytes: [opening, frame(F.rst, 0, 5, u32(8))], error: 1 },
  { title: 'RST_STREAM without a stream', bytes: [opening, frame(F.rst, 0, 0, u32(8))], error: 1 },
  {
    title: 'RST_STREAM of three bytes',
    bytes: [opening, openStream, frame(F.rst, 0, 1, Buffer.alloc(3))],
    error: 6,
  },
  {
    title: 'PRIORITY without a stream',
    bytes: [opening, frame(F.priority, 0, 0, Buffer.alloc(5))],
    error: 1,
  },
  { title: 'PUSH_PROMISE', bytes: [opening, openStream, frame(F.push, 4, 1, Buffer.alloc(4))], error: 1 },
  { title: 'DATA without a stream', bytes: [opening, frame(F.data, 0, 0, 'ff')], error: 1 },
  { title: 'DATA on an idle stream', bytes: [opening, frame(F.data, 0, 3, 'ff')], error: 1 },
  {
    title: 'DATA that is all padding',
    bytes: [opening, openStream, frame(F.data, 8, 1, '03 ffff')],
    error: 1,
  },
  { title: 'padded DATA without a length', bytes: [opening, openStream, frame(F.data, 8, 1)], error: 1 },
  { title: 'HEADERS without a stream', bytes: [opening, head(0)], error: 1 },
  { title: 'HEADERS on an even stream', bytes: [opening, head(2)], error: 1 },
  {
    title: 'HEADERS that is all padding',
    bytes: [opening, frame(F.headers, both | 8, 1, '05 82')],
    error: 1,
  },
  {
    title: 'HEADERS too short for its priority',
    bytes: [opening, frame(F.headers, both | 32, 1, '0000')],
    error: 1,
  },
  { title: 'an id below the last', bytes: [opening, head(5), head(3)], error: 5 },
  { title: 'HEADERS on a closed stream', bytes: [opening, head(1), head(1)], error: 5 },
  { title: 'CONTINUATION without HEADERS', bytes: [opening, frame(F.continuation, 4, 1, '82')], error: 1 },
  {
    title: 'a header block interrupted by PING',
    bytes: [opening, head(1, end, get()), frame(F.ping, 0, 0, Buffer.alloc(8))],
    error: 1,
  },
  {
    title: 'CONTINUATION of another stream',
    bytes: [opening, head(1, end), frame(F.continuation, 4, 3, '82')],
    error: 1,
  },
  { title: 'a block that is no HPACK', bytes: [opening, frame(F.headers, both, 1, '80')], error: 9 },
  {
    title: 'a window of a stream made too large by SETTINGS',
    bytes: [
      opening,
      openStream,
      frame(F.window, 0, 1, u32(2 ** 31 - 1 - 65_535)),
      frame(F.settings, 0, 0, settings([4, 65_536])),
    ],
    error: 3,
  },
];

/** What must reset the stream and leave the connection. */
const contained: readonly Case[] = [
  {
    title: 'no :path',
    bytes: [head(1, both, block([':method', 'GET'], [':scheme', 'http'], [':authority', 'a']))],
    error: 1,
  },
  {
    title: 'no :scheme',
    bytes: [head(1, both, block([':method', 'GET'], [':path', '/'], [':authority', 'a']))],
    error: 1,
  },
  {
    title: 'no :method',
    bytes: [head(1, both, block([':scheme', 'http'], [':path', '/'], [':authority', 'a']))],
    error: 1,
  },
  {
    title: 'no authority at all',
    bytes: [head(1, both, block([':method', 'GET'], [':scheme', 'http'], [':path', '/']))],
    error: 1,
  },
  {
    title: 'an empty :path',
    bytes: [
      head(1, both, block([':method', 'GET'], [':scheme', 'http'], [':path', ''], [':authority', 'a'])),
    ],
    error: 1,
  },
  {
    title: 'a :path with a space',
    bytes: [
      head(1, both, block([':method', 'GET'], [':scheme', 'http'], [':path', '/a b'], [':authority', 'a'])),
    ],
    error: 1,
  },
  {
    title: 'an absolute :path',
    bytes: [
      head(
        1,
        both,
        block([':method', 'GET'], [':scheme', 'http'], [':path', 'http://a/'], [':authority', 'a']),
      ),
    ],
    error: 1,
  },
  { title: ':status in a request', bytes: [head(1, both, get([':status', '200']))], error: 1 },
  {
    title: 'a pseudo-header behind a field',
    bytes: [
      head(
        1,
        both,
        block([':method', 'GET'], ['x-a', '1'], [':scheme', 'http'], [':path', '/'], [':authority', 'a']),
      ),
    ],
    error: 1,
  },
  {
    title: 'a pseudo-header twice',
    bytes: [
      head(
        1,
        both,
        block(
          [':method', 'GET'],
          [':method', 'GET'],
          [':scheme', 'http'],
          [':path', '/'],
          [':authority', 'a'],
        ),
      ),
    ],
    error: 1,
  },
  { title: 'an unknown pseudo-header', bytes: [head(1, both, get([':other', '1']))], error: 1 },
  {
    title: 'a method in lower case',
    bytes: [
      head(1, both, block([':method', 'get'], [':scheme', 'http'], [':path', '/'], [':authority', 'a'])),
    ],
    error: 1,
  },
  {
    title: 'user information in :authority',
    bytes: [
      head(1, both, block([':method', 'GET'], [':scheme', 'http'], [':path', '/'], [':authority', 'u@a'])),
    ],
    error: 1,
  },
  { title: 'Host that is not :authority', bytes: [head(1, both, get(['host', 'two.test']))], error: 1 },
  { title: 'Host twice', bytes: [head(1, both, get(['host', 'one.test'], ['host', 'one.test']))], error: 1 },
  { title: 'a capital in a name', bytes: [head(1, both, get(['X-A', '1']))], error: 1 },
  { title: 'an empty name', bytes: [head(1, both, get(['', '1']))], error: 1 },
  { title: 'a colon in a name', bytes: [head(1, both, get(['a:b', '1']))], error: 1 },
  { title: 'CR LF in a value', bytes: [head(1, both, get(['x-a', '1\r\nx-b: 2']))], error: 1 },
  { title: 'NUL in a value', bytes: [head(1, both, get(['x-a', 'a\0b']))], error: 1 },
  { title: 'white space at the end of a value', bytes: [head(1, both, get(['x-a', 'a ']))], error: 1 },
  { title: 'Connection', bytes: [head(1, both, get(['connection', 'close']))], error: 1 },
  { title: 'Transfer-Encoding', bytes: [head(1, both, get(['transfer-encoding', 'chunked']))], error: 1 },
  { title: 'Upgrade', bytes: [head(1, both, get(['upgrade', 'h2c']))], error: 1 },
  { title: 'TE other than trailers', bytes: [head(1, both, get(['te', 'gzip']))], error: 1 },
  {
    title: 'two lengths',
    bytes: [head(1, both, get(['content-length', '0'], ['content-length', '0']))],
    error: 1,
  },
  { title: 'a length that is none', bytes: [head(1, both, get(['content-length', '+1']))], error: 1 },
  { title: 'a length without a body', bytes: [head(1, both, get(['content-length', '1']))], error: 1 },
  {
    title: 'more body than its length',
    bytes: [head(1, endHeaders, post(['content-length', '1'])), frame(F.data, 0, 1, 'ffff')],
    error: 1,
  },
  {
    title: 'less body than its length',
    bytes: [head(1, endHeaders, post(['content-length', '3'])), frame(F.data, end, 1, 'ffff')],
    error: 1,
  },
  {
    title: 'less body than its length, with trailers',
    bytes: [head(1, endHeaders, post(['content-length', '3'])), head(1, both, block(['x-t', '1']))],
    error: 1,
  },
  {
    title: 'trailers without END_STREAM',
    bytes: [head(1, endHeaders, post()), head(1, endHeaders, block(['x-t', '1']))],
    error: 1,
  },
  {
    title: 'trailers with a pseudo-header',
    bytes: [head(1, endHeaders, post()), head(1, both, block([':path', '/b']))],
    error: 1,
  },
  { title: 'DATA behind END_STREAM', bytes: [head(1), frame(F.data, end, 1, 'ff')], error: 5 },
  { title: 'HEADERS behind END_STREAM', bytes: [head(1), head(1, both, block(['x-t', '1']))], error: 5 },
  {
    title: 'more DATA than the window of the stream',
    bytes: [
      head(1, endHeaders, post()),
      ...Array.from({ length: 5 }, () => frame(F.data, 0, 1, Buffer.alloc(16_384))),
    ],
    error: 3,
  },
  {
    title: 'WINDOW_UPDATE of nothing',
    bytes: [head(1, endHeaders, post()), frame(F.window, 0, 1, u32(0))],
    error: 1,
  },
  {
    title: 'a window beyond 2^31 - 1',
    bytes: [head(1, endHeaders, post()), frame(F.window, 0, 1, u32(2 ** 31 - 1))],
    error: 3,
  },
  {
    title: 'a stream that depends on itself',
    bytes: [frame(F.headers, both | 32, 1, Buffer.concat([u32(1), Buffer.of(0), get()]))],
    error: 1,
  },
  {
    title: 'PRIORITY on itself',
    bytes: [head(1, endHeaders, post()), frame(F.priority, 0, 1, Buffer.concat([u32(1), Buffer.of(0)]))],
    error: 1,
  },
  {
    title: 'PRIORITY of four bytes',
    bytes: [head(1, endHeaders, post()), frame(F.priority, 0, 1, Buffer.alloc(4))],
    error: 6,
  },
  {
    title: 'CONNECT with a path',
    bytes: [head(1, endHeaders, block([':method', 'CONNECT'], [':authority', 'a:1'], [':path', '/']))],
    error: 1,
  },
  {
    title: 'extended CONNECT without a path',
    bytes: [
      head(
        1,
        endHeaders,
        block([':method', 'CONNECT'], [':protocol', 'websocket'], [':scheme', 'http'], [':authority', 'a']),
      ),
    ],
    error: 1,
  },
  {
    title: ':protocol without CONNECT',
    bytes: [
      head(
        1,
        both,
        block(
          [':method', 'GET'],
          [':protocol', 'websocket'],
          [':scheme', 'http'],
          [':path', '/'],
          [':authority', 'a'],
        ),
      ),
    ],
    error: 1,
  },
];

const errorOf = (each: Frame): number => each.payload.readUInt32BE(each.type === F.goAway ? 4 : 0);

for (const size of [Number.POSITIVE_INFINITY, 1]) {
  const how = size === 1 ? 'byte by byte' : 'at once';

  for (const { title, bytes, error } of fatal) {
    test(`${title}, ${how}: the connection ends with ${error}`, (t) => {
      const { wire, flush, take, owner, sink } = h2Server();
      // A stream that is answered is closed: its id may not come again.
      sink.onRequestEnd = (s) => answer(s, 200);
      for (const each of bytes) wire.send(each, size);
      flush();
      flush();
      const goAway = take().find((each) => each.type === F.goAway);
      t.is(goAway === undefined ? -1 : errorOf(goAway), error);
      t.true(wire.isEnded);
      t.is(owner.errors.length > 0, true, 'it is reported');
    });
  }

  for (const { title, bytes, error } of contained) {
    test(`${title}, ${how}: the stream is reset with ${error}, the connection goes on`, (t) => {
      const { wire, flush, take, send, sink, owner, codec } = h2Server();
      send(opening);
      if (title.includes('window of the stream')) sink.onRequestHead = (s) => codec.pauseRead(s);
      for (const each of bytes) wire.send(each, size);
      flush();
      const resets = take().filter((each) => each.type === F.rst);
      t.deepEqual(
        resets.map((each) => [each.id, errorOf(each)]),
        [[1, error]],
      );
      t.false(wire.isEnded);
      t.true(owner.errors.length > 0, 'it is reported');
      for (const each of sink.requests) t.is(each.reset, Code.downstreamProtocol);
      sink.onRequestEnd = (s) => answer(s, 204);
      send(head(3));
      t.true(
        take().some((each) => each.type === F.headers && each.id === 3),
        'the next stream is answered',
      );
    });
  }
}

const callOf = (...more: readonly (readonly [string, string])[]): Buffer =>
  block(
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', '/shop.Cart/Add'],
    [':authority', 'a.test'],
    ['te', 'trailers'],
    ['content-type', 'application/grpc+proto'],
    ...more,
  );

const refusedCalls: readonly {
  title: string;
  head: Buffer;
  body?: number;
  status: number;
  limits: object;
}[] = [
  {
    title: 'metadata of too many fields',
    head: callOf(['x-a', '1']),
    status: 8,
    limits: { maxHeaderCount: 2 },
  },
  { title: 'a name with an underscore', head: callOf(['x_a', '1']), status: 13, limits: {} },
  {
    title: 'a message that is announced as too large',
    head: callOf(['content-length', '9']),
    status: 8,
    limits: { maxBodyBytes: 8 },
  },
  { title: 'a message that is too large', head: callOf(), body: 9, status: 8, limits: { maxBodyBytes: 8 } },
];

for (const { title, head: payload, body = 0, status, limits } of refusedCalls) {
  test(`a call of gRPC with ${title}: its caller gets status ${status}`, (t) => {
    const { take, send } = h2Server({ limits });
    send(opening);
    take();
    const data = body === 0 ? [] : [frame(F.data, 1, 1, Buffer.alloc(body))];
    send(Buffer.concat([frame(F.headers, endHeaders, 1, payload), ...data]));
    const answered = take().find((each) => each.type === F.headers && each.id === 1);
    const fields = new Map(new BlockReader().lines(answered?.payload ?? Buffer.alloc(0)));
    t.is(fields.get(':status'), '200');
    t.is(fields.get('content-type'), 'application/grpc');
    t.is(fields.get('grpc-status'), String(status));
    t.false(fields.has('content-length'));
    t.regex(
      fields.get('x-heddle-error') ?? '',
      /^(headers_too_large|downstream_protocol|payload_too_large)$/,
    );
  });
}

const refusals: readonly {
  title: string;
  fields: readonly (readonly [string, string])[];
  status: string;
  limits?: object;
  config?: object;
}[] = [
  { title: 'a head that is too large', fields: [['x-long', longText]], status: '431' },
  {
    title: 'too many fields',
    fields: Array.from({ length: 101 }, (_, i) => [`x-${i}`, '1'] as const),
    status: '431',
  },
  { title: 'a path that is too long', fields: [], status: '414', limits: { maxUriBytes: 1 } },
  { title: 'an underscore in a name', fields: [['x_a', '1']], status: '400' },
  { title: 'a byte above 0x7F', fields: [['x-a', 'é']], status: '400' },
  {
    title: 'a body that is announced as too large',
    fields: [['content-length', '9']],
    status: '413',
    limits: { maxBodyBytes: 8 },
  },
];

for (const { title, fields, status, limits = {} } of refusals) {
  test(`${title}: answered with ${status}, the connection goes on`, (t) => {
    const { take, send, sink, owner } = h2Server({ limits });
    send(opening);
    const payload = post(...fields);
    const cut = 16_000;
    send(frame(F.headers, payload.length > cut ? 0 : endHeaders, 1, payload.subarray(0, cut)));
    for (let at = cut; at < payload.length; at += cut) {
      send(frame(F.continuation, at + cut >= payload.length ? 4 : 0, 1, payload.subarray(at, at + cut)));
    }
    const sent = take();
    if (title === 'a head that is too large') {
      t.is(
        sent.find((each) => each.type === F.goAway)?.payload.readUInt32BE(4),
        11,
        'a block beyond the limit is not even collected',
      );
      return;
    }
    const answered = sent.find((each) => each.type === F.headers && each.id === 1);
    t.true(answered?.payload.includes(Buffer.from(status)) || status === '400', status);
    t.is(answered === undefined ? 0 : answered.flags & end, end);
    t.true(
      sent.some((each) => each.type === F.rst && errorOf(each) === 0),
      'the rest of the request is not wanted',
    );
    t.is(sink.requests.length, 0);
    t.is(owner.errors.length, 1);
  });
}

test('more streams than allowed are refused, and may be sent again', (t) => {
  const { take, send, sink } = h2Server({ config: { maxConcurrentStreams: 2 } });
  send(opening, head(1), head(3), head(5));
  t.deepEqual(
    take()
      .filter((each) => each.type === F.rst)
      .map((each) => [each.id, errorOf(each)]),
    [[5, 7]],
  );
  t.is(sink.requests.length, 2);
});

const answers: readonly { title: string; bytes: Bytes; code: number; error: number }[] = [
  { title: 'no :status', bytes: [head(1, both, block(['x-a', '1']))], code: Code.upstreamProtocol, error: 1 },
  {
    title: 'a status of two digits',
    bytes: [head(1, both, block([':status', '20']))],
    code: Code.upstreamProtocol,
    error: 1,
  },
  {
    title: ':path in an answer',
    bytes: [head(1, both, block([':status', '200'], [':path', '/']))],
    code: Code.upstreamProtocol,
    error: 1,
  },
  {
    title: 'a 101',
    bytes: [head(1, endHeaders, block([':status', '101']))],
    code: Code.upstreamProtocol,
    error: 1,
  },
  {
    title: 'an interim answer that ends the stream',
    bytes: [head(1, both, block([':status', '100']))],
    code: Code.upstreamProtocol,
    error: 1,
  },
  {
    title: 'DATA before the head',
    bytes: [frame(F.data, 0, 1, 'ff')],
    code: Code.upstreamProtocol,
    error: 1,
  },
  {
    title: 'less body than its length',
    bytes: [
      head(1, endHeaders, block([':status', '200'], ['content-length', '3'])),
      frame(F.data, end, 1, 'ff'),
    ],
    code: Code.upstreamProtocol,
    error: 1,
  },
  {
    title: 'a length without a body',
    bytes: [head(1, both, block([':status', '200'], ['content-length', '3']))],
    code: Code.upstreamProtocol,
    error: 1,
  },
  {
    title: 'a body behind 204',
    bytes: [head(1, endHeaders, block([':status', '204'])), frame(F.data, end, 1, 'ff')],
    code: Code.upstreamProtocol,
    error: 1,
  },
];

for (const { title, bytes, code, error } of answers) {
  test(`upstream: ${title}: the stream is reset, the connection goes on`, (t) => {
    const { ask, take, send, sink, codec } = h2Client();
    ask();
    take();
    send(frame(F.settings, 0, 0), ...bytes);
    t.deepEqual(
      take()
        .filter((each) => each.type === F.rst)
        .map((each) => [each.id, errorOf(each)]),
      [[1, error]],
    );
    t.is(sink.responses.at(-1)?.reset, code);
    t.true(codec.room > 0);
    ask();
    send(head(3, both, block([':status', '200'])));
    t.is(sink.responses.at(-1)?.line, '200');
  });
}

test('upstream: REFUSED_STREAM and a GOAWAY below the stream say that nothing was processed', (t) => {
  const refused = h2Client();
  refused.ask();
  refused.send(frame(F.settings, 0, 0), frame(F.rst, 0, 1, u32(7)));
  t.is(refused.sink.responses.at(-1)?.reset, Code.upstreamRefused);
  const broken = h2Client();
  broken.ask();
  broken.send(frame(F.settings, 0, 0), frame(F.rst, 0, 1, u32(2)));
  t.is(broken.sink.responses.at(-1)?.reset, Code.upstreamReset);
  const gone = h2Client();
  gone.ask();
  gone.ask();
  gone.send(frame(F.settings, 0, 0), frame(F.goAway, 0, 0, u32(1, 0)));
  t.deepEqual(
    gone.sink.responses.map((each) => each.reset),
    [Code.upstreamRefused],
  );
  t.is(gone.codec.room, 0);
  gone.send(head(1, both, block([':status', '200'])));
  t.is(gone.sink.responses.at(-1)?.line, '200', 'the stream below it is answered');
  t.true(gone.wire.isEnded, 'and then the connection ends');
});
