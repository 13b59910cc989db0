import test from 'ava';
import * as v from 'valibot';
import { type CodecSamples, codecContractSuite } from '../../../../src/testing/index.ts';
import { Http2Config, http2 } from '../../../../src/transport/codecs/http2/index.ts';

const authority = 'one.test';
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const settings = Buffer.from('000000040000000000', 'hex');
const opening = Buffer.concat([preface, settings]);
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const after = (text: string): Buffer => Buffer.concat([opening, hex(text)]);
const answered = (text: string): Buffer => Buffer.concat([settings, hex(text)]);

const samples: CodecSamples = {
  config: v.parse(Http2Config, {}),
  exchanges: [
    {
      title: 'a plain GET',
      request: { method: 'GET', path: '/a?b=c', authority, headers: { accept: '*/*' } },
      response: { status: 200, headers: { 'x-a': '1' }, body: ['hello'] },
    },
    {
      title: 'bodies of unknown length with trailers',
      request: { method: 'POST', path: '/b', authority, body: ['one', 'two'], trailers: { 'x-sum': '6' } },
      response: { status: 200, body: ['three', 'four'], trailers: { 'x-sum': '9' } },
    },
    {
      title: 'interim answers and no body',
      request: { method: 'PUT', path: '/c', authority, headers: { accept: '*/*' }, body: ['x'] },
      informational: [{ status: 100 }, { status: 103, headers: { link: '</a.css>' } }],
      response: { status: 204 },
    },
    {
      title: 'a refusal',
      request: { method: 'DELETE', path: '/d', authority },
      response: { status: 404, headers: { 'content-type': 'text/plain' }, body: ['not here'] },
    },
  ],
  foreign: [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from('PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n'),
    Buffer.of(0x16, 0x03, 0x01, 0x02, 0x00),
    Buffer.of(0x01, 0x01, 0x00, 0x01),
  ],
  refused: [
    { title: 'HTTP/1.1', bytes: Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n') },
    { title: 'no SETTINGS', bytes: Buffer.concat([preface, hex('000008 06 00 00000000 0000000000000000')]) },
    { title: 'a frame that is too long', bytes: after('004001 00 00 00000001') },
    { title: 'HEADERS without a stream', bytes: after('000001 01 05 00000000 82') },
    { title: 'an even stream id', bytes: after('000001 01 05 00000002 82') },
    { title: 'DATA on an idle stream', bytes: after('000001 00 00 00000001 61') },
    { title: 'CONTINUATION without HEADERS', bytes: after('000001 09 04 00000001 82') },
    { title: 'a block that is no HPACK', bytes: after('000001 01 05 00000001 80') },
    { title: 'PUSH_PROMISE', bytes: after('000005 05 04 00000001 0000000282') },
    { title: 'an odd SETTINGS', bytes: after('000005 04 00 00000000 0001000000') },
    { title: 'a PING on a stream', bytes: after('000008 06 00 00000001 0000000000000000') },
  ],
  refusedAnswers: [
    { title: 'no HTTP/2 at all', bytes: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') },
    { title: 'a block that is no HPACK', bytes: answered('000001 01 05 00000001 80') },
    { title: 'PUSH_PROMISE', bytes: answered('000005 05 04 00000001 0000000288') },
    { title: 'an answer to another stream', bytes: answered('000001 01 05 00000003 88') },
    { title: 'GOAWAY that excludes it', bytes: answered('000008 07 00 00000000 00000000 00000000') },
    { title: 'a window of nothing', bytes: answered('000004 08 00 00000000 00000000') },
  ],
  ownHeaders: ['date', 'content-length'],
};

codecContractSuite(test, http2, samples);
