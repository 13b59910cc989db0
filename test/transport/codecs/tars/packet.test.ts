import { readFileSync } from 'node:fs';
import test from 'ava';
import { Code } from '../../../../src/core/base/codes.ts';
import { HeadView } from '../../../../src/core/base/head-view.ts';
import { FrameKind } from '../../../../src/transport/codecs/framed/index.ts';
import { tarsProtocol as protocol } from '../../../../src/transport/codecs/tars/protocol.ts';
import { bodyOf, readContext } from '../dubbo/support.ts';

const { tars } = JSON.parse(
  readFileSync(new URL('../../../fixtures/wire/thrift-tars.json', import.meta.url), 'utf8'),
) as { tars: { name: string; hex: string }[] };
const [requestBytes, responseBytes] = tars.map((each) => Buffer.from(each.hex, 'hex')) as [Buffer, Buffer];

function read(bytes: Buffer): HeadView {
  const head = new HeadView();
  const code = protocol.readRequest(head, bytes, 0, bytes.length, readContext());
  if (code !== Code.none) throw new Error(`refused: ${code}`);
  return head;
}

function readAnswer(bytes: Buffer): HeadView {
  const head = new HeadView();
  const code = protocol.readResponse(head, bytes, 0, bytes.length);
  if (code !== Code.none) throw new Error(`refused: ${code}`);
  return head;
}

test("packets of Tars's own library are read, and written again byte for byte", (t) => {
  t.is(protocol.kindOf(requestBytes, 0, requestBytes.length), FrameKind.request);
  t.is(protocol.idOf(requestBytes, 0, requestBytes.length), 9);
  const head = read(requestBytes);
  t.is(head.path, '/Demo.Hello.HelloObj/sayHello');
  t.is(head.timeoutMs, 3000);
  t.is(bodyOf(head).toString('hex'), '0601');
  t.deepEqual(protocol.encodeRequest(head, bodyOf(head), 9, 0), requestBytes);
  const answer = readAnswer(responseBytes);
  t.is(answer.status, 200);
  t.is(bodyOf(answer).toString('hex'), '06026869');
  t.deepEqual(protocol.encodeResponse(answer, bodyOf(answer), head, 9, 0), responseBytes);
});

test('a request of ours is the same bytes as that of its own library', (t) => {
  const head = new HeadView();
  head.authority = 'Demo.Hello.HelloObj';
  head.path = '/Demo.Hello.HelloObj/sayHello';
  head.timeoutMs = 3000;
  t.deepEqual(protocol.encodeRequest(head, Buffer.from('0601', 'hex'), 9, 0), requestBytes);
});

test('another id takes the place of the old one, however long it is', (t) => {
  const longer = protocol.setId(Buffer.from(requestBytes), 0, requestBytes.length, 0x7fffffff, 0) as Buffer;
  t.is(protocol.sizeOf(longer, 0, longer.length), longer.length);
  t.is(protocol.idOf(longer, 0, longer.length), 0x7fffffff);
  t.is(protocol.setId(longer, 0, longer.length, 3, 0), null);
  t.is(protocol.idOf(longer, 0, longer.length), 3);
  const head = read(longer);
  t.is(head.rpcMethod, 'sayHello');
  t.deepEqual(protocol.encodeRequest(head, bodyOf(head), 3, 0), longer);
  const answer = protocol.setId(Buffer.from(responseBytes), 0, responseBytes.length, 70_000, 0) as Buffer;
  t.is(protocol.idOf(answer, 0, answer.length), 70_000);
});

test('headers are the context; another authority is another servant', (t) => {
  const head = read(requestBytes);
  head.set('a', 'b');
  head.set('long', 'x'.repeat(300));
  head.authority = 'Demo.Other.Obj';
  const got = read(protocol.encodeRequest(head, Buffer.from('new'), 1000, 0) as Buffer);
  t.deepEqual({ ...got.toObject() }, { a: 'b', long: 'x'.repeat(300) });
  t.is(got.service, 'Demo.Other.Obj');
  t.is(bodyOf(got).toString(), 'new');
  got.remove('long');
  const again = read(protocol.encodeRequest(got, bodyOf(got), 1000, 0) as Buffer);
  t.deepEqual({ ...again.toObject() }, { a: 'b' });
  const context = readContext({ maxHeaderCount: 1 });
  const bytes = protocol.encodeRequest(got, bodyOf(got), 1, 0) as Buffer;
  t.is(protocol.readRequest(new HeadView(), bytes, 0, bytes.length, context), Code.none);
  t.is(
    protocol.readRequest(new HeadView(), bytes, 0, bytes.length, readContext({ maxHeaderBytes: 3 })),
    Code.headersTooLarge,
  );
});

test('results are statuses and back', (t) => {
  const request = read(requestBytes);
  for (const [status, ret] of [
    [404, -4],
    [400, -1],
    [500, -99],
    [502, -8],
    [503, -9],
    [504, -7],
  ] as const) {
    const bytes = protocol.encodeFailure(status, 'why', request, 9, 0);
    const head = readAnswer(bytes);
    t.is(head.protocolStatus, ret);
    t.is(head.status, status);
    t.is(bodyOf(head).toString(), 'why');
    t.deepEqual(protocol.encodeResponse(head, bodyOf(head), request, 9, 0), bytes);
    head.status = 503;
    const changed = readAnswer(protocol.encodeResponse(head, bodyOf(head), request, 9, 0) as Buffer);
    t.is(changed.status, 503);
  }
  const queued = Buffer.from(responseBytes.toString('hex').replace('4c5c', '4c50fa'), 'hex');
  queued.writeUInt32BE(queued.length, 0);
  t.is(readAnswer(queued).status, 504, 'a result of -6 with a body');
});

test('a one-way call is one', (t) => {
  const head = new HeadView();
  head.authority = 'a';
  head.path = '/a/b';
  head.oneWay = true;
  const bytes = protocol.encodeRequest(head, Buffer.alloc(0), 1, 0) as Buffer;
  t.is(protocol.kindOf(bytes, 0, bytes.length), FrameKind.oneWay);
  t.true(read(bytes).oneWay);
});
