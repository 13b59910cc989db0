import test from 'ava';
import { Match } from '../../../../src/core/contract/codec.ts';
import { http1 } from '../../../../src/transport/codecs/http1/index.ts';

const match = (text: string): number => {
  const bytes = Buffer.from(`??${text}`, 'latin1');
  return http1.match(bytes, 2, bytes.length);
};

test('a method, a space and the beginning of a target are HTTP/1.1, every beginning of that is undecided', (t) => {
  for (const text of ['GET /', 'OPTIONS *', 'PURGE /x', 'CONNECT a:1', 'GET http://a', 'M-SEARCH *', 'P /']) {
    t.is(match(text), Match.yes, text);
  }
  for (const text of ['', 'G', 'GET', 'GET ', 'PRI', 'PRI *', '\r\n', '\r\nGET'])
    t.is(match(text), Match.more, text);
});

test('other protocols are not', (t) => {
  const others = [
    'PRI * HTTP/2.0\r\n',
    '\x16\x03\x01',
    '\xda\xbb',
    '\x01\x00',
    'get /',
    'GET\t/',
    ' GET /',
    'SSH-2.0-OpenSSH_9.2p1 Debian',
    'A'.repeat(30),
    'GET \x00',
  ];
  for (const text of others) t.is(match(text), Match.no, JSON.stringify(text));
});
