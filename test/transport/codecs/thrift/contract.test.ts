import test from 'ava';
import * as v from 'valibot';
import { type CodecSamples, codecContractSuite } from '../../../../src/testing/index.ts';
import { FramedConfig } from '../../../../src/transport/codecs/framed/index.ts';
import { thrift, thriftHeader } from '../../../../src/transport/codecs/thrift/index.ts';

const frame = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const request = { method: 'POST', path: '/Calculator/add', authority: 'Calculator' };

const samples = (headers: Record<string, string>): CodecSamples => ({
  config: v.parse(FramedConfig, {}),
  wholeMessages: true,
  exchanges: [
    {
      title: 'a call',
      request: { ...request, headers, body: ['\x08\0\x01\0\0\0\x01\0'] },
      response: { status: 200, headers, body: ['\0'] },
    },
    {
      title: 'structs in pieces',
      request: { ...request, body: ['one', 'two'] },
      response: { status: 200, body: ['a', 'b'] },
    },
    { title: 'an unknown method', request, response: { status: 404, body: ['no such method'] } },
    { title: 'an overloaded server', request, response: { status: 503, body: ['busy'] } },
  ],
  foreign: [
    Buffer.from('GET / HTTP/1.1\r\n'),
    frame('dabbc200'),
    frame('00000004 00000000'),
    frame('00000010 82 22'),
    frame('00000020 0ffe'),
  ],
  refused: [
    { title: 'a length below any message', bytes: frame('00000003 800100') },
    { title: 'a length above what Thrift allows', bytes: frame('40000000 80010001') },
    { title: 'a length above the cap', bytes: frame('3fffffff 80010001') },
    { title: 'an unknown type', bytes: frame('0000000c 80010005 00000000 00000001') },
    { title: 'a name that is longer than the frame', bytes: frame('0000000c 80010001 0000ffff 00000001') },
    { title: 'a compact name that is longer', bytes: frame('00000004 82 21 01 7f') },
    { title: 'a compact id that does not end', bytes: frame('00000008 82 21 ffffffffff01') },
    { title: 'a compact id that is cut off', bytes: frame('00000004 82 21 ffff') },
    { title: 'a header longer than the frame', bytes: frame('0000000c 0fff0000 00000001 ffff 0000') },
    { title: 'a header without protocol', bytes: frame('0000000a 0fff0000 00000001 0000') },
    {
      title: 'a transform',
      bytes: frame('00000018 0fff0000 00000001 0001 00010100 80010001 00000000 00000001'),
    },
    {
      title: 'an info that lies',
      bytes: frame('0000001a 0fff0000 00000001 0001 00000109 80010001 00000000 00000001'),
    },
    { title: 'half a header', bytes: frame('00000008 0fff0000 00000001') },
    { title: 'an answer', bytes: frame('0000000c 80010002 00000000 00000001') },
  ],
  refusedAnswers: [
    { title: 'an unknown type', bytes: frame('0000000c 80010007 00000000 00000001') },
    { title: 'a call', bytes: frame('0000000c 80010001 00000000 00000001') },
    { title: 'not Thrift', bytes: Buffer.from('HTTP/1.1 200 OK\r\n\r\n') },
  ],
});

codecContractSuite(test, thrift, samples({}));
codecContractSuite(test, thriftHeader, samples({ 'x-user': 'ann', traceparent: '00-1-2-01' }));
