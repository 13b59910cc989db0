import test from 'ava';
import * as v from 'valibot';
import { type CodecSamples, codecContractSuite } from '../../../../src/testing/index.ts';
import { bolt } from '../../../../src/transport/codecs/bolt/index.ts';
import { FramedConfig } from '../../../../src/transport/codecs/framed/index.ts';
import { frame, headerMap } from './frames.ts';

const service = 'demo.Hello:1.0';
const request = { method: 'POST', path: `/${service}/say`, authority: service };
const wrongCrc = frame({ proto: 2, ver1: 2, crc: true, headers: { service } });
wrongCrc[wrongCrc.length - 1] = (wrongCrc.at(-1) as number) ^ 1;
const lying = Buffer.from(frame({ headers: { service } }));
lying.writeUInt32BE(0xffffffff, 18);
const longName = Buffer.from(frame({ headers: { service } }));
longName.writeUInt16BE(0x8000, 14);

const samples: CodecSamples = {
  config: v.parse(FramedConfig, { maxFrameBytes: 2_097_152 }),
  wholeMessages: true,
  exchanges: [
    {
      title: 'a call',
      request: { ...request, headers: { 'rpc_req_baggage.user': 'ann' }, body: ['args'] },
      response: { status: 200, headers: { 'rpc_resp_baggage.a': '1' }, body: ['result'] },
    },
    {
      title: 'bodies in pieces',
      request: { ...request, body: ['one', 'two'] },
      response: { status: 200, body: ['three', 'four'] },
    },
    { title: 'no bodies', request, response: { status: 200 } },
    { title: 'a busy server', request, response: { status: 503, headers: { why: 'busy' } } },
    { title: 'a timeout', request: { ...request, body: ['x'] }, response: { status: 504, body: ['late'] } },
  ],
  foreign: [
    Buffer.from('GET / HTTP/1.1\r\n'),
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    Buffer.of(0x16, 0x03, 0x01, 0x02, 0x00),
    Buffer.of(0xda, 0xbb, 0xc2, 0x00),
    Buffer.of(2, 3, 1, 0, 1),
    Buffer.of(1, 9, 0, 1),
  ],
  refused: [
    { title: 'another protocol', bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n') },
    { title: 'a length of minus one', bytes: lying },
    { title: 'a class name above 32,767 bytes', bytes: longName },
    { title: 'an unknown type', bytes: frame({ type: 3, headers: { service } }) },
    { title: 'an unknown command', bytes: frame({ command: 7, headers: { service } }) },
    { title: 'an unknown version', bytes: frame({ proto: 2, ver1: 3, headers: { service } }) },
    { title: 'a wrong checksum', bytes: wrongCrc },
    { title: 'a response', bytes: frame({ type: 0 }) },
    { title: 'a frame above the cap', bytes: frame({ content: Buffer.alloc(2_097_152) }) },
    { title: 'a header map whose length lies', bytes: frame({ headers: Buffer.of(0, 0, 0, 9, 65) }) },
    { title: 'a header map that stops within a length', bytes: frame({ headers: Buffer.of(0, 0, 0) }) },
    {
      title: 'a key of minus two bytes',
      bytes: frame({ headers: Buffer.of(255, 255, 255, 254, 0, 0, 0, 0) }),
    },
    {
      title: 'two services',
      bytes: frame({ headers: Buffer.concat([headerMap({ service }), headerMap({ service: 'other' })]) }),
    },
    {
      title: 'a header map above the limit',
      bytes: frame({ headers: { service, long: 'x'.repeat(32_600) } }),
    },
  ],
  refusedAnswers: [
    { title: 'another protocol', bytes: Buffer.from('HTTP/1.1 200 OK\r\n\r\n') },
    { title: 'a request', bytes: frame({ id: 1, headers: { service } }) },
    { title: 'an id that was never given', bytes: frame({ type: 0, id: 77 }) },
    { title: 'an unknown command', bytes: frame({ type: 0, command: 9 }) },
    {
      title: 'a wrong checksum',
      bytes: Buffer.concat([
        frame({ type: 0, proto: 2, ver1: 2, crc: true }).subarray(0, -4),
        Buffer.of(1, 2, 3, 4),
      ]),
    },
  ],
  limits: { maxHeaderBytes: 32_000 },
};

codecContractSuite(test, bolt, samples);
