import test from 'ava';
import * as v from 'valibot';
import { type CodecSamples, codecContractSuite } from '../../../../src/testing/index.ts';
import { Http1Config, http1 } from '../../../../src/transport/codecs/http1/index.ts';

const authority = 'one.test';
const samples: CodecSamples = {
  config: v.parse(Http1Config, {}),
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
      request: { method: 'PUT', path: '/c', authority, body: ['x'] },
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
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    Buffer.of(0x16, 0x03, 0x01, 0x02, 0x00),
    Buffer.of(0xda, 0xbb, 0xc2, 0x00),
    Buffer.of(0x01, 0x01, 0x00, 0x01),
  ],
  refused: [
    { title: 'two hosts', bytes: Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n') },
    { title: 'no version', bytes: Buffer.from('GET /\r\n\r\n') },
    { title: 'bare LF', bytes: Buffer.from('GET / HTTP/1.1\nHost: a\n\n') },
    { title: 'endless headers', bytes: Buffer.from(`GET / HTTP/1.1\r\nX: ${'a'.repeat(70_000)}`) },
    {
      title: 'length and encoding',
      bytes: Buffer.from(
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ),
    },
    {
      title: 'a chunk size that is none',
      bytes: Buffer.from('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'),
    },
  ],
  refusedAnswers: [
    { title: 'no HTTP at all', bytes: Buffer.from('SSH-2.0-OpenSSH_9.2p1\r\n') },
    { title: 'a status of two digits', bytes: Buffer.from('HTTP/1.1 20 OK\r\n\r\n') },
    { title: 'HTTP/2', bytes: Buffer.from('HTTP/2.0 200 OK\r\n\r\n') },
    {
      title: 'length and encoding',
      bytes: Buffer.from(
        'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ),
    },
    {
      title: 'two lengths',
      bytes: Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n'),
    },
    { title: 'an unasked 101', bytes: Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n') },
    {
      title: 'a bad chunk',
      bytes: Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX'),
    },
  ],
  ownHeaders: ['date', 'host', 'content-length', 'transfer-encoding', 'connection'],
};

codecContractSuite(test, http1, samples);
