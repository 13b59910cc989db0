import test from 'ava';
import { Code } from '../../../../src/core/base/codes.ts';
import { HeadView } from '../../../../src/core/base/head-view.ts';
import { dubboProtocol } from '../../../../src/transport/codecs/dubbo/protocol.ts';
import { HessianWriter } from '../../../../src/transport/codecs/hessian/writer.ts';
import { bodyOf, readContext, readRequest, readResponse } from './support.ts';

interface Parts {
  readonly flag?: number;
  readonly dubbo?: string;
  readonly path?: string;
  readonly version?: string | null;
  readonly types?: string;
  readonly body?: Buffer;
  readonly attachments?: Buffer;
}

const map = (entries: Record<string, string>): Buffer => new HessianWriter().map(entries).bytes();

function frame(flag: number, status: number, body: Buffer): Buffer {
  const header = Buffer.from([0xda, 0xbb, flag, status, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0]);
  header.writeInt32BE(body.length, 12);
  return Buffer.concat([header, body]);
}

function request(parts: Parts = {}): Buffer {
  const { path = 'com.acme.Demo', version = '1.0.0', types = '', dubbo = '2.0.2' } = parts;
  const writer = new HessianWriter().string(dubbo).string(path);
  if (version === null) writer.null();
  else writer.string(version);
  writer
    .string('sayHello')
    .string(types)
    .raw(parts.body ?? Buffer.alloc(0));
  writer.raw(parts.attachments ?? map({ path, interface: path, group: 'g1' }));
  return frame(parts.flag ?? 0xc2, 0, writer.bytes());
}

const again = (head: HeadView, body = bodyOf(head)): HeadView => {
  const bytes = dubboProtocol.encodeRequest(head, body, 7, 8);
  if (typeof bytes === 'number') throw new Error(`code ${bytes}`);
  return readRequest(bytes);
};

test('headers that filters set, add and remove are attachments on the wire, all others stay as they came', (t) => {
  const attachments = new HessianWriter()
    .mapStart('java.util.HashMap')
    .string('group')
    .string('g1')
    .string('retries')
    .int(3)
    .string('drop')
    .string('me')
    .string('dubbo.tag')
    .string('gray')
    .end();
  const head = readRequest(request({ attachments: attachments.bytes() }));
  head.remove('drop');
  head.set('group', 'g2');
  head.set('traceparent', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`);
  const got = again(head);
  t.deepEqual(
    { ...got.toObject() },
    {
      'dubbo.tag': 'gray',
      group: 'g2',
      traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      version: '1.0.0',
    },
  );
  const bytes = got.buf.subarray(got.bodyEnd, got.end);
  t.true(bytes.includes('java.util.HashMap'), 'the type of the map stays');
  t.true(bytes.includes(Buffer.from('\x07retries\x93', 'latin1')), 'so does what is no text');
});

test('no attachments become some', (t) => {
  const head = readRequest(request({ attachments: Buffer.of(0x4e), version: null }));
  t.is(head.get('version'), null);
  head.set('x', 'y');
  t.is(again(head).get('x'), 'y');
});

test('attachments that refer to classes of the arguments survive an edit', (t) => {
  const body = new HessianWriter().object('com.acme.User', ['id']).int(1).bytes();
  const attachments = new HessianWriter()
    .mapStart()
    .string('user')
    .raw(Buffer.of(0x60, 0x92))
    .string('same')
    .reference(0)
    .string('group')
    .string('g1')
    .end()
    .bytes();
  const head = readRequest(request({ types: 'Lcom/acme/User;', body, attachments }));
  t.is(head.get('group'), 'g1');
  head.set('group', 'g2');
  const got = again(head);
  t.is(got.get('group'), 'g2');
  t.true(got.buf.includes(Buffer.from('\x04user\x60\x92', 'latin1')));
});

test('of two attachments with one name the last counts, as in a map of Java', (t) => {
  const attachments = Buffer.concat([
    map({ group: 'a' }).subarray(0, -1),
    map({ x: '1', group: 'b' }).subarray(1),
  ]);
  const head = readRequest(request({ attachments }));
  t.deepEqual(head.getAll('group'), ['b']);
  head.set('x', '2');
  t.deepEqual(again(head).getAll('group'), ['b']);
});

test('a version that a filter sets is the word too', (t) => {
  const head = readRequest(request({ version: '1.0.0' }));
  t.is(head.get('version'), '1.0.0');
  head.set('version', '2.0.0-canary');
  const got = again(head);
  t.is(got.get('version'), '2.0.0-canary');
  t.true(got.buf.includes(Buffer.from('com.acme.Demo\x0c2.0.0-canary', 'latin1')));
});

test('another authority is another service, for providers that look at the word or at the attachments', (t) => {
  const head = readRequest(request());
  head.authority = 'com.acme.Other';
  const got = again(head);
  t.is(got.service, 'com.acme.Other');
  t.is(got.get('path'), 'com.acme.Other');
  t.is(got.get('interface'), 'com.acme.Other');
  head.authority = 'x'.repeat(600);
  t.is(dubboProtocol.encodeRequest(head, bodyOf(head), 1, 0), Code.headersTooLarge);
  const versioned = readRequest(request());
  versioned.set('version', 'v'.repeat(600));
  t.is(dubboProtocol.encodeRequest(versioned, bodyOf(versioned), 1, 0), Code.headersTooLarge);
});

test('the service is the one that a Java provider looks up: the attachment, where it differs from the word', (t) => {
  const head = readRequest(
    request({ attachments: map({ path: 'demo/com.acme.Real', interface: 'com.acme.Demo' }) }),
  );
  t.is(head.service, 'demo/com.acme.Real');
  t.is(head.path, '/demo/com.acme.Real/sayHello');
  t.is(readRequest(request({ attachments: map({ path: '' }) })).service, 'com.acme.Demo');
  head.authority = 'com.acme.Other';
  const got = again(head);
  t.is(got.service, 'com.acme.Other');
  t.is(got.get('interface'), 'com.acme.Other');
});

test('text beyond ASCII is UTF-8 in headers and hessian text on the wire', (t) => {
  const latin = (text: string): string => Buffer.from(text).toString('latin1');
  const head = readRequest(request());
  head.set('who', latin('世界😀'));
  head.set('odd', '\xe9');
  const got = again(head);
  t.is(got.get('odd'), latin('é'));
  t.true(got.buf.includes(Buffer.from('eda0bdedb880', 'hex')), 'surrogates of three bytes each');
  t.is(Buffer.from(got.get('who') ?? '', 'latin1').toString('hex'), 'e4b896e7958ceda0bdedb880');
});

test('long values have long forms', (t) => {
  const head = readRequest(request());
  for (const length of [31, 32, 1023, 1024, 20_000]) head.set(`h${length}`, 'v'.repeat(length));
  const got = again(head);
  for (const length of [31, 32, 1023, 1024, 20_000]) t.is(got.get(`h${length}`)?.length, length);
});

test('the time that the caller waits', (t) => {
  const timeoutMs = (attachments: Buffer): number => readRequest(request({ attachments })).timeoutMs;
  t.is(timeoutMs(map({ timeout: '3000' })), 3000);
  t.is(timeoutMs(map({ timeout: '3000', _TO: '900' })), 900);
  t.is(timeoutMs(map({ timeout: '-1' })), 0);
  t.is(timeoutMs(map({ timeout: 'soon' })), 0);
  t.is(timeoutMs(new HessianWriter().mapStart().string('timeout').int(500).end().bytes()), 500);
  t.is(timeoutMs(new HessianWriter().mapStart().string('timeout').null().end().bytes()), 0);
});

test('requests that cannot be read are refused', (t) => {
  const codeOf = (bytes: Buffer, own = {}): number =>
    dubboProtocol.readRequest(new HeadView(), bytes, 0, bytes.length, readContext(own));
  const { downstreamProtocol, headersTooLarge } = Code;
  t.is(codeOf(request({ types: 'Lx' })), downstreamProtocol, 'a descriptor without end');
  t.is(codeOf(request({ types: 'L;', body: Buffer.of(0x4e) })), downstreamProtocol, 'a class without name');
  t.is(codeOf(request({ types: '[' })), downstreamProtocol, 'an array of nothing');
  t.is(codeOf(request({ types: 'Q' })), downstreamProtocol, 'an unknown type');
  t.is(codeOf(request({ types: 'I', body: Buffer.of(0x51, 0x90) })), downstreamProtocol, 'a bad reference');
  t.is(codeOf(request({ attachments: Buffer.of(0x91) })), downstreamProtocol, 'attachments that are no map');
  t.is(codeOf(request({ attachments: Buffer.alloc(0) })), downstreamProtocol, 'no attachments at all');
  t.is(codeOf(request({ attachments: Buffer.of(0x4e, 0x4e) })), downstreamProtocol, 'something behind null');
  t.is(codeOf(request({ attachments: Buffer.of(0x48, 0x5a, 0x4e) })), downstreamProtocol, 'and behind a map');
  t.is(codeOf(request({ attachments: Buffer.of(0x48, 0x01, 0x61) })), downstreamProtocol, 'half an entry');
  t.is(codeOf(request({ attachments: Buffer.of(0x4d, 0x4e) })), downstreamProtocol, 'a type that is none');
  t.is(codeOf(request({ attachments: Buffer.of(0x48, 0x51, 0x95, 0x4e, 0x5a) })), downstreamProtocol);
  t.is(codeOf(request(), { maxHeaderCount: 2 }), headersTooLarge);
  t.is(codeOf(request(), { maxHeaderBytes: 10 }), headersTooLarge);
});

test('bodies of another serialization pass unread, whatever filters do to their headers', (t) => {
  const bytes = frame(0xd7, 0, Buffer.from('{"fastjson2":true}'));
  const head = readRequest(bytes);
  t.is(head.service, '');
  t.is(bodyOf(head).toString(), '{"fastjson2":true}');
  head.set('x', 'y');
  const sent = dubboProtocol.encodeRequest(head, bodyOf(head), 2, 1);
  t.deepEqual(sent, bytes);
  const failure = dubboProtocol.encodeFailure(503, 'overflow', head, 2, 1);
  t.deepEqual(failure, frame(0x17, 100, Buffer.alloc(0)), 'its answer names that serialization');
});

const text = (value: string): Buffer => new HessianWriter().string(value).bytes();
const value = (result: number, ...rest: Buffer[]): Buffer =>
  Buffer.concat([Buffer.of(0x90 + result), ...rest]);

test('attachments of answers are headers, and headers attachments for consumers that look for them', (t) => {
  const caller = readRequest(request());
  for (const [result, body] of [
    [0, text('thrown')],
    [1, text('hi')],
    [2, Buffer.alloc(0)],
  ] as const) {
    for (const has of [false, true]) {
      const rest = has ? [body, map({ a: '1', b: '2' })] : [body];
      const head = readResponse(frame(2, 20, value(has ? result + 3 : result, ...rest)));
      t.is(head.status, 200);
      t.is(head.get('a'), has ? '1' : null);
      t.deepEqual(bodyOf(head), body);
      head.set('a', 'new');
      const sent = dubboProtocol.encodeResponse(head, bodyOf(head), caller, 2, 1) as Buffer;
      t.is(sent[16], 0x93 + result);
      const got = readResponse(sent);
      t.deepEqual({ ...got.toObject() }, has ? { b: '2', a: 'new' } : { a: 'new' });
      t.deepEqual(bodyOf(got), body);
    }
  }
});

test('consumers that would not understand attachments get none', (t) => {
  for (const dubbo of ['5.3.0', '2.0.1', '2.6.2', '', 'x']) {
    const head = readResponse(frame(2, 20, value(1, text('hi'))));
    head.set('a', 'new');
    const sent = dubboProtocol.encodeResponse(head, bodyOf(head), readRequest(request({ dubbo })), 2, 1);
    t.deepEqual(sent, frame(2, 20, value(1, text('hi'))), dubbo);
  }
});

test('a body that a filter replaced has the result that goes with it', (t) => {
  const caller = readRequest(request());
  const replace = (result: number, before: Buffer, after: Buffer): Buffer =>
    dubboProtocol.encodeResponse(
      readResponse(frame(2, 20, value(result, before))),
      after,
      caller,
      2,
      1,
    ) as Buffer;
  t.deepEqual(replace(1, text('a'), text('longer')), frame(2, 20, value(1, text('longer'))));
  t.deepEqual(replace(1, text('a'), Buffer.alloc(0)), frame(2, 20, value(2)));
  t.deepEqual(replace(2, Buffer.alloc(0), text('b')), frame(2, 20, value(1, text('b'))));
  const error = readResponse(frame(2, 60, text('none')));
  t.is(error.status, 404);
  t.is(bodyOf(error).toString(), 'none');
  const sent = dubboProtocol.encodeResponse(error, Buffer.from('hidden'), caller, 2, 1);
  t.deepEqual(sent, frame(2, 60, text('hidden')));
});

test('a status that a filter changed is another answer', (t) => {
  const head = readResponse(frame(2, 20, value(1, text('hi'))));
  head.status = 503;
  const sent = dubboProtocol.encodeResponse(head, bodyOf(head), readRequest(request()), 2, 1);
  t.deepEqual(sent, frame(2, 100, text('')));
});

test('answers that are no result pass as they are', (t) => {
  const caller = readRequest(request());
  for (const body of [Buffer.of(0x4e), Buffer.of(0x96), text('bare'), Buffer.alloc(0)]) {
    const head = readResponse(frame(2, 20, body));
    t.deepEqual(bodyOf(head), body);
    head.set('a', 'b');
    t.deepEqual(dubboProtocol.encodeResponse(head, body, caller, 2, 1), frame(2, 20, body));
  }
  const cut = frame(2, 20, value(4, Buffer.of(0x48)));
  t.is(dubboProtocol.readResponse(new HeadView(), cut, 0, cut.length), Code.upstreamProtocol);
  const broken = readResponse(frame(2, 20, value(4, text('hi'), Buffer.of(0x91))));
  t.is(broken.get('a'), null);
  broken.set('a', 'b');
  t.is(dubboProtocol.encodeResponse(broken, bodyOf(broken), caller, 2, 1), Code.upstreamProtocol);
});

test('local answers carry a status of Dubbo and a message, or a value', (t) => {
  const caller = readRequest(request());
  const answer = (status: number, body: string, headers: Record<string, string> = {}): Buffer => {
    const head = new HeadView();
    head.status = status;
    for (const name of Object.keys(headers)) head.add(name, headers[name] as string);
    return dubboProtocol.encodeResponse(head, Buffer.from(body), caller, 2, 1) as Buffer;
  };
  const statuses = [404, 403, 408, 429, 400, 413, 500, 502, 503, 504].map((status) => answer(status, '')[3]);
  t.deepEqual(statuses, [60, 70, 31, 100, 40, 40, 80, 35, 100, 31]);
  t.deepEqual(answer(404, 'no route', { 'x-heddle-error': 'no_route' }), frame(2, 60, text('no route')));
  t.deepEqual(answer(200, 'plain words'), frame(2, 20, value(1, text('plain words'))));
  t.deepEqual(answer(200, '\x02hi', { 'content-length': '3' }), frame(2, 20, value(1, text('hi'))));
  t.deepEqual(answer(200, '', { a: 'b' }), frame(2, 20, value(5, map({ a: 'b' }))));
  t.deepEqual(answer(200, '\x02no', { 'dubbo-result': 'exception' }), frame(2, 20, value(0, text('no'))));
  t.deepEqual(
    dubboProtocol.encodeFailure(504, 'route_timeout', caller, 2, 1),
    frame(2, 31, text('route_timeout')),
  );
});

test('calls of another protocol become requests', (t) => {
  const call = (fill: (head: HeadView) => void, body: Buffer = Buffer.alloc(0)): Buffer | number => {
    const head = new HeadView();
    head.methodText = 'POST';
    head.authority = 'com.acme.Demo';
    head.path = '/com.acme.Demo/sayHello?x=1';
    fill(head);
    return dubboProtocol.encodeRequest(head, body, 2, 1);
  };
  const plain = readRequest(call(() => {}) as Buffer);
  t.is(plain.service, 'com.acme.Demo');
  t.is(plain.rpcMethod, 'sayHello');
  t.deepEqual(
    { ...plain.toObject() },
    { path: 'com.acme.Demo', interface: 'com.acme.Demo', version: '0.0.0' },
  );
  const typed = readRequest(
    call((head) => {
      head.service = 'com.acme.Real';
      head.rpcMethod = 'm';
      head.oneWay = true;
      head.add('parameter-types', 'Ljava/lang/String;');
      head.add('version', '2.0.0');
      head.add('group', 'g9');
    }, text('x')) as Buffer,
  );
  t.true(typed.oneWay);
  t.is(typed.service, 'com.acme.Real');
  t.is(typed.get('group'), 'g9');
  t.is(typed.get('parameter-types'), null);
  t.true(typed.buf.includes('Ljava/lang/String;'));
  const short = readRequest(
    call((head) => {
      head.path = '/ping';
    }, Buffer.from('no hessian')) as Buffer,
  );
  t.is(short.service, 'com.acme.Demo');
  t.deepEqual(bodyOf(short), text('no hessian'));
  t.is(
    call((head) => {
      head.path = '/';
    }),
    Code.downstreamProtocol,
  );
});
