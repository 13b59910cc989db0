import test from 'ava';
import * as v from 'valibot';
import { codecContractSuite } from '../../../../src/testing/index.ts';
import { FramedConfig } from '../../../../src/transport/codecs/framed/index.ts';
import { tars } from '../../../../src/transport/codecs/tars/index.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const call = { method: 'POST', path: '/Demo.Hello.HelloObj/sayHello', authority: 'Demo.Hello.HelloObj' };
/** Version, types, id 9, servant "a", function "b". */
const words = '1001 2c 3c 4009 560161 660162';
const frame = (fields: string): Buffer => {
  const bytes = Buffer.concat([Buffer.alloc(4), hex(fields)]);
  bytes.writeUInt32BE(bytes.length, 0);
  return bytes;
};

codecContractSuite(test, tars, {
  config: v.parse(FramedConfig, {}),
  wholeMessages: true,
  exchanges: [
    {
      title: 'a call',
      request: { ...call, headers: { traceparent: '00-1-2-01', gray: 'yes' }, body: ['\x06\x01\x81'] },
      response: { status: 200, headers: { served: 'n1' }, body: ['\x06\x02hi'] },
    },
    { title: 'pieces', request: { ...call, body: ['a', 'b'] }, response: { status: 200, body: ['c', 'd'] } },
    { title: 'nothing', request: call, response: { status: 200 } },
    { title: 'an unknown servant', request: call, response: { status: 404, body: ['no such servant'] } },
    { title: 'an overloaded server', request: call, response: { status: 503, body: ['busy'] } },
  ],
  foreign: [
    Buffer.from('GET / HTTP/1.1\r\n'),
    hex('dabbc200'),
    hex('00000017 80010001'),
    hex('00000020 1002'),
    hex('00000020 1001 30'),
  ],
  refused: [
    { title: 'a length below any packet', bytes: hex('0000000b 10012c 3c4c5c6c') },
    { title: 'a length above the cap', bytes: hex('3fffffff 10012c') },
    { title: 'a length above any packet', bytes: hex('7fffffff 10012c') },
    { title: 'no arguments', bytes: frame(words) },
    { title: 'arguments that are longer', bytes: frame(`${words} 7d 00 007f 00`) },
    { title: 'arguments of ints', bytes: frame(`${words} 7d 02 0001 00`) },
    { title: 'a negative length', bytes: frame(`${words} 7d 00 00ff 00`) },
    { title: 'tags out of order', bytes: frame(`${words} 7d 00 0c 660162`) },
    { title: 'an unknown tag', bytes: frame(`${words} 7d 00 0c bc`) },
    { title: 'a context whose size lies', bytes: frame(`${words} 7d 00 0c 98 017fff`) },
    { title: 'a context of ints', bytes: frame(`${words} 7d 00 0c 98 0001 0c0c0c0c`) },
    { title: 'a context that is no map', bytes: frame(`${words} 7d 00 0c 9c`) },
    { title: 'a timeout that is text', bytes: frame(`${words} 7d 00 0c 860161`) },
    { title: 'a servant that is longer', bytes: frame('1001 2c 3c 4009 56ff6161616161') },
    { title: 'no id', bytes: frame('1001 2c 3c 560161 660162 7d000c') },
    { title: 'an id that is cut off', bytes: frame('1001 2c 3c 42 0000') },
    { title: 'an answer', bytes: frame('1001 2c 3009 4c 5c 6d000c 780c 8600 980c') },
  ],
  refusedAnswers: [
    { title: 'a call', bytes: frame(`${words} 7d000c 8c 980c a80c`) },
    { title: 'no result', bytes: frame('1001 2c 3009 4c 5c 780c') },
    { title: 'TUP', bytes: frame('1003 2c 3009 4c 5c 6d000c') },
  ],
});
