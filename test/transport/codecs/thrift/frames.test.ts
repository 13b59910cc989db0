import { readFileSync } from 'node:fs';
import test from 'ava';
import { Code } from '../../../../src/core/base/codes.ts';
import { HeadView } from '../../../../src/core/base/head-view.ts';
import { Match } from '../../../../src/core/contract/codec.ts';
import { FrameKind } from '../../../../src/transport/codecs/framed/index.ts';
import { Inner } from '../../../../src/transport/codecs/thrift/constants.ts';
import { thriftProtocol } from '../../../../src/transport/codecs/thrift/protocol.ts';
import {
  readVarint,
  skipVarint,
  varintBytes,
  writeVarint,
} from '../../../../src/transport/codecs/thrift/varint.ts';
import { bodyOf, readContext } from '../dubbo/support.ts';

const thrift = thriftProtocol({ name: 'thrift', isHeader: false, inner: Inner.binary });
const compact = thriftProtocol({ name: 'thrift-header', isHeader: true, inner: Inner.compact });
const vectors = JSON.parse(
  readFileSync(new URL('../../../fixtures/wire/thrift-tars.json', import.meta.url), 'utf8'),
) as { thrift: { name: string; hex: string }[] };
const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

function read(bytes: Buffer, protocol = thrift): HeadView {
  const head = new HeadView();
  const code = protocol.readRequest(head, bytes, 0, bytes.length, readContext());
  if (code !== Code.none) throw new Error(`refused: ${code}`);
  return head;
}

test("frames of Thrift's own library are read and written again byte for byte, at every split", (t) => {
  for (const { name, hex } of vectors.thrift) {
    const bytes = bytesOf(hex);
    if (name.startsWith('buffered')) {
      t.is(thrift.match(bytes, 0, bytes.length), Match.no, 'without frames nobody can tell where it ends');
      continue;
    }
    for (let end = 0; end < 6; end++) t.not(thrift.match(bytes, 0, end), Match.no, `${name} ${end}`);
    t.is(thrift.match(bytes, 0, bytes.length), Match.yes);
    t.is(thrift.sizeOf(bytes, 0, bytes.length), bytes.length);
    t.is(thrift.kindOf(bytes, 0, bytes.length), FrameKind.request);
    t.is(thrift.idOf(bytes, 0, bytes.length), 7);
    const head = read(bytes);
    t.is(head.rpcMethod, 'add');
    t.is(head.path, '/add');
    t.deepEqual(thrift.encodeRequest(head, bodyOf(head), 7, 0), bytes, name);
  }
});

test('another id is written in place, or into a new frame where it needs more bytes', (t) => {
  const [binary, , small] = vectors.thrift.map((each) => bytesOf(each.hex)) as [Buffer, Buffer, Buffer];
  t.is(thrift.setId(binary, 0, binary.length, 0x7fffffff, 0), null);
  t.is(thrift.idOf(binary, 0, binary.length), 0x7fffffff);
  t.is(thrift.setId(small, 0, small.length, 100, 0), null);
  t.is(thrift.idOf(small, 0, small.length), 100);
  const longer = thrift.setId(small, 0, small.length, 0x7fffffff, 0) as Buffer;
  t.is(thrift.sizeOf(longer, 0, longer.length), longer.length);
  t.is(thrift.idOf(longer, 0, longer.length), 0x7fffffff);
  t.is(read(longer).rpcMethod, 'add');
});

test('THeader: infos are headers, what is not understood stays, answers are wrapped alike', (t) => {
  const message = '82 21 05 07 43616c633a6164 00';
  // Protocol 2, no transforms, info 1 with one pair, info 9 that nobody knows.
  const bytes = bytesOf(
    `00000022 0fff 0003 00000005 0004 02 00 01 01 01 61 01 62 09 aabbccddeeff 00 ${message}`,
  );
  bytes.writeUInt32BE(bytes.length - 4, 0);
  t.is(thrift.idOf(bytes, 0, bytes.length), 5);
  const head = read(bytes);
  t.is(head.service, 'Calc');
  t.is(head.rpcMethod, 'ad');
  t.is(head.get('a'), 'b');
  t.deepEqual(thrift.encodeRequest(head, bodyOf(head), 5, 0), bytes);
  head.set('a', 'changed');
  head.set('new', 'x');
  const sent = thrift.encodeRequest(head, Buffer.from('body'), 300, 0) as Buffer;
  const got = read(sent);
  t.deepEqual({ ...got.toObject() }, { a: 'changed', new: 'x' });
  t.is(bodyOf(got).toString(), 'body');
  t.is(sent.readUInt16BE(6), 3, 'flags stay');
  t.true(sent.includes(bytesOf('09aabbccddeeff')), 'so do other infos');
  t.is(thrift.idOf(sent, 0, sent.length), 300);
  const failure = thrift.encodeFailure(503, 'busy', got, 300, 0);
  t.is(failure.readUInt16BE(4), 0x0fff);
  t.is(thrift.kindOf(failure, 0, failure.length), FrameKind.response);
  const answer = new HeadView();
  t.is(thrift.readResponse(answer, failure, 0, failure.length), Code.none);
  t.is(answer.status, 503);
  t.is(bodyOf(answer).toString(), 'busy');
});

test('exceptions keep their number, and a filter may make another of them', (t) => {
  for (const protocol of [thrift, compact]) {
    const call = new HeadView();
    call.authority = 'S';
    call.path = '/S/m';
    const request = read(protocol.encodeRequest(call, Buffer.alloc(1), 3, 0) as Buffer, protocol);
    for (const [status, failure] of [
      [404, 1],
      [400, 7],
      [500, 6],
      [503, 11],
      [504, 12],
    ] as const) {
      const bytes = protocol.encodeFailure(status, 'why', request, 3, 0);
      const head = new HeadView();
      protocol.readResponse(head, bytes, 0, bytes.length);
      t.is(head.status, status);
      t.is(head.protocolStatus, failure);
      t.deepEqual(protocol.encodeResponse(head, bodyOf(head), request, 3, 0), bytes);
      head.status = 500;
      const again = new HeadView();
      const changed = protocol.encodeResponse(head, bodyOf(head), request, 3, 0) as Buffer;
      protocol.readResponse(again, changed, 0, changed.length);
      t.is(again.protocolStatus, 6);
    }
  }
});

test('an exception that cannot be read is one all the same', (t) => {
  for (const struct of ['', '0b0001 0000ffff', '0c0001 00000000', '08']) {
    const body = bytesOf(struct);
    const bytes = Buffer.concat([bytesOf('00000000 80010003 00000001 6d 00000001'), body]);
    bytes.writeUInt32BE(bytes.length - 4, 0);
    const head = new HeadView();
    t.is(thrift.readResponse(head, bytes, 0, bytes.length), Code.none);
    t.is(head.status, 500);
    t.is(bodyOf(head).length, 0);
  }
  const lying = Buffer.concat([bytesOf('00000000 82 61 01 01 6d'), bytesOf('18 7f 61')]);
  lying.writeUInt32BE(lying.length - 4, 0);
  const head = new HeadView();
  t.is(thrift.readResponse(head, lying, 0, lying.length), Code.none);
  t.is(head.status, 500);
});

test('a one-way call, another service, and a method without one', (t) => {
  const call = new HeadView();
  call.authority = 'S';
  call.path = '/S/m';
  call.oneWay = true;
  const bytes = thrift.encodeRequest(call, Buffer.from('x'), 1, 0) as Buffer;
  t.is(thrift.kindOf(bytes, 0, bytes.length), FrameKind.oneWay);
  const head = read(bytes);
  t.true(head.oneWay);
  head.authority = 'Other';
  t.is(read(thrift.encodeRequest(head, bodyOf(head), 1, 0) as Buffer).service, 'Other');
  const plain = read(bytesOf(vectors.thrift[0]?.hex ?? ''));
  plain.authority = 'Other';
  t.is(read(thrift.encodeRequest(plain, bodyOf(plain), 1, 0) as Buffer).service, '');
});

test('too many infos are refused', (t) => {
  const call = new HeadView();
  call.authority = 'S';
  call.path = '/S/m';
  for (let i = 0; i < 5; i++) call.add(`h${i}`, 'v');
  const bytes = compact.encodeRequest(call, Buffer.alloc(1), 1, 0) as Buffer;
  const head = new HeadView();
  t.is(
    compact.readRequest(head, bytes, 0, bytes.length, readContext({ maxHeaderCount: 4 })),
    Code.headersTooLarge,
  );
});

test('varints are those of Thrift', (t) => {
  for (const value of [0, 1, 127, 128, 300, 16_383, 16_384, 2_097_152, 0x7fffffff, 0xffffffff]) {
    const bytes = Buffer.alloc(8, 0xee);
    const end = writeVarint(bytes, 0, value);
    t.is(end, varintBytes(value));
    t.is(readVarint(bytes, 0, 8), value);
    t.is(skipVarint(bytes, 0), end);
    t.is(readVarint(bytes, 0, end - 1), -1, 'cut off');
  }
});
