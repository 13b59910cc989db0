import test from 'ava';
import * as v from 'valibot';
import { Code } from '../../../../src/core/base/codes.ts';
import { HeadView } from '../../../../src/core/base/head-view.ts';
import { codecContractSuite } from '../../../../src/testing/index.ts';
import { dubboThrift } from '../../../../src/transport/codecs/dubbo-thrift/index.ts';
import { dubboThriftProtocol as protocol } from '../../../../src/transport/codecs/dubbo-thrift/protocol.ts';
import { FramedConfig, FrameKind } from '../../../../src/transport/codecs/framed/index.ts';
import { bodyOf, readContext } from '../dubbo/support.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const call = { method: 'POST', path: '/com.acme.Calculator/add', authority: 'com.acme.Calculator' };

/** With the path that newer versions write behind the service. */
function frame(type: number, withPath = false): Buffer {
  const text = (value: string): Buffer =>
    Buffer.concat([hex('000000').subarray(0, 3), Buffer.of(value.length), Buffer.from(value)]);
  const path = withPath ? text('calc') : Buffer.alloc(0);
  const words = Buffer.concat([hex('01'), text('com.acme.Calculator'), path, hex('0000000100000005')]);
  const message = Buffer.concat([
    hex(`800100 0${type} 00000003`),
    Buffer.from('add'),
    hex('00000063'),
    hex('080001 00000001 00'),
  ]);
  const bytes = Buffer.concat([hex('00000000 dabc 00000000 0000'), words, message]);
  bytes.writeUInt32BE(bytes.length - 4, 0);
  bytes.writeUInt32BE(bytes.length - 4, 6);
  bytes.writeUInt16BE(8 + words.length, 10);
  return bytes;
}

const damaged = (at: number, value: number): Buffer => {
  const bytes = frame(1);
  bytes.writeUInt16BE(value, at);
  return bytes;
};

codecContractSuite(test, dubboThrift, {
  config: v.parse(FramedConfig, {}),
  wholeMessages: true,
  exchanges: [
    { title: 'a call', request: { ...call, body: ['struct'] }, response: { status: 200, body: ['result'] } },
    { title: 'pieces', request: { ...call, body: ['a', 'b'] }, response: { status: 200, body: ['c', 'd'] } },
    { title: 'an unknown method', request: call, response: { status: 404, body: ['no such method'] } },
    { title: 'an overloaded server', request: call, response: { status: 503, body: ['busy'] } },
  ],
  foreign: [Buffer.from('GET / HTTP/1.1\r\n'), hex('dabbc200'), hex('00000020 dabb'), hex('00000017 8001')],
  refused: [
    { title: 'another magic', bytes: damaged(4, 0xdabb) },
    { title: 'a header longer than the frame', bytes: damaged(10, 0xffff) },
    { title: 'a header without room for its id', bytes: damaged(10, 12) },
    { title: 'a service longer than the header', bytes: damaged(15, 0xffff) },
    { title: 'an unknown type', bytes: frame(9) },
    { title: 'an answer', bytes: frame(2) },
    { title: 'half a header', bytes: hex('00000008 dabc 00000008 0008') },
    { title: 'a length above the cap', bytes: hex('3fffffff dabc') },
  ],
  refusedAnswers: [
    { title: 'another magic', bytes: damaged(4, 0xdabb) },
    { title: 'a call', bytes: frame(1) },
  ],
});

test("a frame in Dubbo's layout is read, with and without a path, and written again byte for byte", (t) => {
  for (const withPath of [false, true]) {
    const bytes = frame(1, withPath);
    t.is(protocol.sizeOf(bytes, 0, bytes.length), bytes.length);
    t.is(protocol.kindOf(bytes, 0, bytes.length), FrameKind.request);
    t.is(protocol.idOf(bytes, 0, bytes.length), 5);
    t.is(protocol.idHighOf(bytes, 0, bytes.length), 1);
    const head = new HeadView();
    t.is(protocol.readRequest(head, bytes, 0, bytes.length, readContext()), Code.none);
    t.is(head.path, '/com.acme.Calculator/add');
    t.is(bodyOf(head).toString('hex'), '0800010000000100');
    t.deepEqual(protocol.encodeRequest(head, bodyOf(head), 5, 1), bytes);
    t.is(protocol.setId(bytes, 0, bytes.length, 9, 0), null);
    t.is(protocol.idOf(bytes, 0, bytes.length), 9);
    const answer = protocol.encodeFailure(503, 'busy', head, 5, 1);
    t.is(answer.readUInt32BE(answer.indexOf('add') + 3), 0x63, 'the id within the message is its own');
    head.authority = 'com.acme.Other';
    const sent = protocol.encodeRequest(head, bodyOf(head), 5, 1) as Buffer;
    const got = new HeadView();
    t.is(protocol.readRequest(got, sent, 0, sent.length, readContext()), Code.none);
    t.is(got.service, 'com.acme.Other');
    t.is(
      protocol.readRequest(new HeadView(), sent, 0, sent.length, readContext({ maxHeaderBytes: 10 })),
      Code.headersTooLarge,
    );
  }
});

test('one-way calls and statuses that a filter changed', (t) => {
  const bytes = frame(4);
  t.is(protocol.kindOf(bytes, 0, bytes.length), FrameKind.oneWay);
  const request = new HeadView();
  protocol.readRequest(request, bytes, 0, bytes.length, readContext());
  t.true(request.oneWay);
  const reply = frame(2);
  const head = new HeadView();
  protocol.readResponse(head, reply, 0, reply.length);
  head.status = 504;
  const sent = protocol.encodeResponse(head, Buffer.from('late'), request, 1, 0) as Buffer;
  const got = new HeadView();
  protocol.readResponse(got, sent, 0, sent.length);
  t.is(got.status, 504);
  t.is(bodyOf(got).toString(), 'late');
});
