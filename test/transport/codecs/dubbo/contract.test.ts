import test from 'ava';
import * as v from 'valibot';
import { codecContractSuite } from '../../../../src/testing/suites/codec-contract-suite.ts';
import { DubboConfig, dubbo } from '../../../../src/transport/codecs/dubbo/index.ts';

const service = 'com.acme.DemoService';
const path = `/${service}/sayHello`;
const frame = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

codecContractSuite(test, dubbo, {
  config: v.parse(DubboConfig, {}),
  wholeMessages: true,
  exchanges: [
    {
      title: 'a call with an argument',
      request: {
        method: 'POST',
        path,
        authority: service,
        headers: { version: '1.0.0', group: 'g1', 'dubbo.tag': 'gray' },
        body: ['\x05hello'],
      },
      response: { status: 200, headers: { 'x-served-by': 'n1' }, body: ['\x02hi'] },
    },
    {
      title: 'a call without arguments that returns null',
      request: { method: 'POST', path, authority: service },
      response: { status: 200 },
    },
    {
      title: 'an argument and a value in pieces',
      request: { method: 'POST', path, authority: service, body: ['\x08hal', 'f and', '\x91'] },
      response: { status: 200, body: ['\x07answer', '!'] },
    },
    {
      title: 'an error',
      request: { method: 'POST', path, authority: service, headers: { timeout: '1000' } },
      response: { status: 503, body: ['too many calls'] },
    },
  ],
  foreign: [Buffer.from('GET / HTTP/1.1\r\n'), frame('dabc0000'), frame('01')],
  refused: [
    { title: 'another magic', bytes: frame('dabcc200 0000000000000001 00000001 4e') },
    { title: 'a negative length', bytes: frame('dabbc200 0000000000000001 ffffffff') },
    { title: 'a length above the cap', bytes: frame('dabbc200 0000000000000001 7fffffef') },
    { title: 'a body that is no request', bytes: frame('dabbc200 0000000000000001 00000001 4e') },
    { title: 'an answer', bytes: frame('dabb0214 0000000000000001 00000001 92') },
  ],
  refusedAnswers: [
    { title: 'another magic', bytes: frame('dabc0214 0000000000000001 00000001 92') },
    { title: 'a value that does not end', bytes: frame('dabb0214 0000000000000001 00000002 9448') },
    { title: 'a request', bytes: frame('dabbc200 0000000000000001 00000001 4e') },
  ],
});
