import test from 'ava';
import {
  FrameType,
  headerBytes,
  maxPayloadBytes,
  writeFrame,
} from '../../../src/testing/codecs/test-mux/frame.ts';
import { codecContractSuite, testMux } from '../../../src/testing/index.ts';

const head = writeFrame(FrameType.head, 1, 1, Buffer.from('GET / a\n'));
const answer = (bytes: string): Buffer => writeFrame(FrameType.head, 1, 1, Buffer.from(bytes));
const tooLong = Buffer.from(head);
tooLong.writeUInt32BE(maxPayloadBytes + 1, 8);

codecContractSuite(test, testMux, {
  config: {},
  exchanges: [
    {
      title: 'a bare request',
      request: { method: 'GET', path: '/a?b=c', authority: 'users', headers: { 'x-one': '1' } },
      response: { status: 200, headers: { 'x-two': 'ü' }, body: ['hello'] },
    },
    {
      title: 'bodies in pieces with trailers',
      request: {
        method: 'POST',
        path: '/b',
        authority: 'users',
        body: ['one', 'two'],
        trailers: { 'x-sum': '6' },
      },
      informational: [{ status: 103, headers: { link: '</a>' } }],
      response: { status: 201, body: ['ab', 'c'], trailers: { 'x-sum': '3' } },
    },
    {
      title: 'no body at all',
      request: { method: 'HEAD', path: '/', authority: 'users' },
      response: { status: 204 },
    },
  ],
  foreign: [Buffer.from('GET / HTTP/1.1\r\n'), Buffer.of(0x16, 3, 1)],
  refused: [
    {
      title: 'another magic in the second frame',
      bytes: Buffer.concat([head.subarray(0, 5), Buffer.from('xxxxxxxxxx')]),
    },
    { title: 'a payload above the cap', bytes: tooLong },
    { title: 'an unknown frame type', bytes: writeFrame(77 as 1, 0, 1, Buffer.alloc(0)) },
    { title: 'data before a head', bytes: writeFrame(FrameType.data, 0, 1, Buffer.from('x')) },
    { title: 'a head without words', bytes: writeFrame(FrameType.head, 1, 1, Buffer.from('\n')) },
    { title: 'a head above the limit', bytes: writeFrame(FrameType.head, 1, 1, Buffer.alloc(60_000, 97)) },
  ],
  refusedAnswers: [
    { title: 'a status that is none', bytes: answer('abc\n') },
    { title: 'data before the head', bytes: writeFrame(FrameType.data, 1, 1, Buffer.from('x')) },
    { title: 'noise', bytes: Buffer.alloc(headerBytes, 0x41) },
    {
      title: 'credit beyond the window',
      bytes: writeFrame(FrameType.credit, 0, 1, Buffer.from([0, 0, 0, 9])),
    },
  ],
});
