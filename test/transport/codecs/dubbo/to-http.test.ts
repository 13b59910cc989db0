import test from 'ava';
import { HessianWriter } from '../../../../src/transport/codecs/hessian/writer.ts';
import { encodeFields } from '../../../../src/transport/codecs/http1/encode-fields.ts';
import { encodeRequest } from '../../../../src/transport/codecs/http2/encode-head.ts';
import { HpackEncoder } from '../../../../src/transport/codecs/http2/hpack/encoder.ts';
import { BlockReader } from '../http2/harness.ts';
import { readRequest } from './support.ts';

/** A call whose attachments try to become more than headers. */
function hostile() {
  const body = new HessianWriter()
    .string('2.0.2')
    .string('com.acme.Demo')
    .null()
    .string('m')
    .string('')
    .map({
      good: 'yes',
      'bad name': '1',
      'x: y\r\nevil': '1',
      ':path': '/admin',
      '': 'empty',
      value: 'a\r\nevil: 1',
      'transfer-encoding': 'chunked',
      connection: 'close',
      upgrade: 'websocket',
    })
    .bytes();
  const header = Buffer.from('dabbc200000000000000000100000000', 'hex');
  header.writeInt32BE(body.length, 12);
  return readRequest(Buffer.concat([header, body]));
}

test('attachments become headers of HTTP/1.1, and nothing else', (t) => {
  const target = Buffer.alloc(4096);
  const end = encodeFields(hostile(), target, 0, 3, true, -1);
  t.deepEqual(target.toString('latin1', 0, end).split('\r\n'), [
    'good: yes',
    'value: a  evil: 1',
    'host: com.acme.Demo',
    'content-length: 3',
    '',
  ]);
});

test('attachments become fields of HTTP/2, and no pseudo-headers', (t) => {
  const target = Buffer.alloc(8192);
  const end = encodeRequest(new HpackEncoder(true), hostile(), target, 0, false, -1);
  const fields = new BlockReader().lines(target.subarray(0, end))?.map(([name]) => name);
  t.deepEqual(fields, [':method', ':scheme', ':path', ':authority', 'good']);
});
