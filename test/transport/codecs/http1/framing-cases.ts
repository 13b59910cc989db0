/**
 * What two readers of HTTP/1.1 could understand differently, and what becomes of it. One row an input:
 * a status means refused with it, an object what the next hop is told.
 */
export interface FramingCase {
  readonly name: string;
  readonly input: string;
  /** Refused with this status and the connection closed. */
  readonly refused?: number;
  /** Accepted: the request line as delivered, headers, body, trailers. */
  readonly line?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly trailers?: Readonly<Record<string, string>> | null;
  readonly upgrade?: string;
  /** The head was delivered before the refusal. */
  readonly afterHead?: boolean;
}

const post = (headers: string, body = ''): string => `POST /a HTTP/1.1\r\nHost: h\r\n${headers}\r\n${body}`;
const get = (headers: string, target = '/a'): string => `GET ${target} HTTP/1.1\r\nHost: h\r\n${headers}\r\n`;
const chunked = (body: string, headers = ''): string =>
  post(`Transfer-Encoding: chunked\r\n${headers}`, body);

const lengths: FramingCase[] = [
  {
    name: 'Content-Length then Transfer-Encoding',
    input: post('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    refused: 400,
  },
  {
    name: 'Transfer-Encoding then Content-Length',
    input: post('Transfer-Encoding: chunked\r\nContent-Length: 3\r\n', '0\r\n\r\n'),
    refused: 400,
  },
  {
    name: 'two equal Content-Length',
    input: post('Content-Length: 1\r\nContent-Length: 1\r\n', 'x'),
    refused: 400,
  },
  {
    name: 'two different Content-Length',
    input: post('Content-Length: 1\r\nContent-Length: 2\r\n', 'x'),
    refused: 400,
  },
  { name: 'Content-Length as a list', input: post('Content-Length: 1, 1\r\n', 'x'), refused: 400 },
  { name: 'Content-Length +1', input: post('Content-Length: +1\r\n', 'x'), refused: 400 },
  { name: 'Content-Length 0x1', input: post('Content-Length: 0x1\r\n', 'x'), refused: 400 },
  { name: 'Content-Length -1', input: post('Content-Length: -1\r\n', 'x'), refused: 400 },
  { name: 'Content-Length with a space inside', input: post('Content-Length: 1 2\r\n', 'x'), refused: 400 },
  { name: 'empty Content-Length', input: post('Content-Length:\r\n'), refused: 400 },
  { name: 'Content-Length beyond 2^53', input: post('Content-Length: 99999999999999999\r\n'), refused: 400 },
  {
    name: 'Content-Length with outer white space and leading zeros',
    input: post('Content-Length: \t 003 \r\n', 'abc'),
    body: 'abc',
  },
];

const encodings: FramingCase[] = [
  {
    name: 'chunked in any case',
    input: post('Transfer-Encoding: CHUNKED\r\n', '1\r\nx\r\n0\r\n\r\n'),
    body: 'x',
  },
  { name: 'xchunked', input: post('Transfer-Encoding: xchunked\r\n'), refused: 501 },
  { name: 'identity', input: post('Transfer-Encoding: identity\r\n'), refused: 501 },
  { name: 'chunked, identity', input: post('Transfer-Encoding: chunked, identity\r\n'), refused: 400 },
  { name: 'identity, chunked', input: post('Transfer-Encoding: identity, chunked\r\n'), refused: 501 },
  {
    name: 'gzip, chunked',
    input: post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
    refused: 501,
  },
  { name: 'chunked, chunked', input: post('Transfer-Encoding: chunked, chunked\r\n'), refused: 400 },
  {
    name: 'two Transfer-Encoding',
    input: post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    refused: 400,
  },
  { name: 'empty Transfer-Encoding', input: post('Transfer-Encoding:\r\n'), refused: 400 },
  {
    name: 'space before the colon of Transfer-Encoding',
    input: post('Transfer-Encoding : chunked\r\n'),
    refused: 400,
  },
  { name: 'VT before chunked', input: post('Transfer-Encoding: \x0bchunked\r\n'), refused: 400 },
  { name: 'quoted chunked', input: post('Transfer-Encoding: "chunked"\r\n'), refused: 400 },
  { name: 'chunked with a parameter', input: post('Transfer-Encoding: chunked;q=1\r\n'), refused: 400 },
  {
    name: 'Transfer-Encoding in HTTP/1.0',
    input: 'POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    refused: 400,
  },
];

const lines: FramingCase[] = [
  { name: 'obs-fold', input: get('X-A: 1\r\n 2\r\n'), refused: 400 },
  { name: 'obs-fold before the first header', input: 'GET / HTTP/1.1\r\n Host: h\r\n\r\n', refused: 400 },
  { name: 'bare LF after the request line', input: 'GET / HTTP/1.1\nHost: h\r\n\r\n', refused: 400 },
  { name: 'bare LF after a header', input: get('X-A: 1\nX-B: 2\r\n'), refused: 400 },
  { name: 'bare LF as the empty line', input: 'GET / HTTP/1.1\r\nHost: h\r\n\n', refused: 400 },
  { name: 'bare CR in a value', input: get('X-A: 1\rX-B: 2\r\n'), refused: 400 },
  { name: 'bare CR in the request line', input: 'GET / HTTP/1.1\rHost: h\r\n\r\n', refused: 400 },
  { name: 'NUL in a value', input: get('X-A: 1\0\r\n'), refused: 400 },
  { name: 'NUL in a name', input: get('X-\0A: 1\r\n'), refused: 400 },
  { name: 'DEL in a value', input: get('X-A: \x7f\r\n'), refused: 400 },
  { name: 'space in a name', input: get('X A: 1\r\n'), refused: 400 },
  { name: 'empty name', input: get(': 1\r\n'), refused: 400 },
  { name: 'a line without colon', input: get('X-A\r\n'), refused: 400 },
  { name: 'space before a colon', input: get('X-A : 1\r\n'), refused: 400 },
  { name: 'leading space before the method', input: ` ${get('')}`, refused: 400 },
  { name: 'leading bare LF', input: `\n${get('')}`, refused: 400 },
  { name: 'one empty line before the request', input: `\r\n${get('')}`, line: 'GET /a h' },
  { name: 'two empty lines before the request', input: `\r\n\r\n${get('')}`, refused: 400 },
  { name: 'empty value', input: get('X-A:\r\n'), headers: { host: 'h', 'x-a': '' } },
  {
    name: 'value between tabs and spaces',
    input: get('X-A: \t a \t b \t\r\n'),
    headers: { host: 'h', 'x-a': 'a \t b' },
  },
  { name: 'obs-text in a value', input: get('X-A: caf\xe9\r\n'), refused: 400 },
  { name: 'underscore in a name', input: get('X_Forwarded_For: 1\r\n'), refused: 400 },
];

const requestLines: FramingCase[] = [
  { name: 'lower-case method', input: 'get / HTTP/1.1\r\nHost: h\r\n\r\n', refused: 400 },
  { name: 'mixed-case method', input: 'Get / HTTP/1.1\r\nHost: h\r\n\r\n', refused: 400 },
  { name: 'another method', input: 'PURGE / HTTP/1.1\r\nHost: h\r\n\r\n', line: 'PURGE / h' },
  { name: 'method with a separator', input: 'GE(T / HTTP/1.1\r\nHost: h\r\n\r\n', refused: 400 },
  { name: 'endless method', input: `${'A'.repeat(33)} / HTTP/1.1\r\nHost: h\r\n\r\n`, refused: 501 },
  { name: 'two spaces before the target', input: 'GET  / HTTP/1.1\r\nHost: h\r\n\r\n', refused: 400 },
  { name: 'two spaces behind the target', input: 'GET /  HTTP/1.1\r\nHost: h\r\n\r\n', refused: 400 },
  { name: 'tab as separator', input: 'GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n', refused: 400 },
  { name: 'space behind the version', input: 'GET / HTTP/1.1 \r\nHost: h\r\n\r\n', refused: 400 },
  { name: 'no version (HTTP/0.9)', input: 'GET /\r\nHost: h\r\n\r\n', refused: 400 },
  { name: 'HTTP/1.2', input: 'GET / HTTP/1.2\r\nHost: h\r\n\r\n', refused: 505 },
  { name: 'HTTP/2.0', input: 'GET / HTTP/2.0\r\nHost: h\r\n\r\n', refused: 505 },
  { name: 'HTTP/0.9 spelled out', input: 'GET / HTTP/0.9\r\nHost: h\r\n\r\n', refused: 505 },
  { name: 'http/1.1 in lower case', input: 'GET / http/1.1\r\nHost: h\r\n\r\n', refused: 400 },
  { name: 'HTTP/1.10', input: 'GET / HTTP/1.10\r\nHost: h\r\n\r\n', refused: 400 },
  { name: 'fragment in the target', input: get('', '/a#b'), refused: 400 },
  { name: 'raw UTF-8 in the target', input: get('', '/caf\xc3\xa9'), refused: 400 },
  { name: 'control character in the target', input: get('', '/a\x01'), refused: 400 },
  { name: 'DEL in the target', input: get('', '/a\x7f'), refused: 400 },
  { name: 'a target that is no path', input: get('', 'a/b'), refused: 400 },
  { name: 'dot segments are left for the path filter', input: get('', '/a/../b'), line: 'GET /a/../b h' },
  { name: 'asterisk with OPTIONS', input: 'OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n', line: 'OPTIONS * h' },
  { name: 'asterisk with GET', input: get('', '*'), refused: 400 },
];

const hosts: FramingCase[] = [
  { name: 'missing Host', input: 'GET / HTTP/1.1\r\n\r\n', refused: 400 },
  { name: 'missing Host in HTTP/1.0', input: 'GET / HTTP/1.0\r\n\r\n', line: 'GET / ' },
  { name: 'two equal Host', input: 'GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n', refused: 400 },
  { name: 'two different Host', input: 'GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n', refused: 400 },
  { name: 'Host with a path', input: 'GET / HTTP/1.1\r\nHost: h/x\r\n\r\n', refused: 400 },
  { name: 'Host with user information', input: 'GET / HTTP/1.1\r\nHost: u@h\r\n\r\n', refused: 400 },
  { name: 'Host with a space', input: 'GET / HTTP/1.1\r\nHost: h i\r\n\r\n', refused: 400 },
  { name: 'Host as a list', input: 'GET / HTTP/1.1\r\nHost: h,i\r\n\r\n', refused: 400 },
  {
    name: 'IPv6 Host with port',
    input: 'GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n',
    line: 'GET / [::1]:80',
  },
  { name: 'absolute form', input: get('', 'http://h/x?y'), line: 'GET /x?y h' },
  { name: 'absolute form without path', input: get('', 'http://h'), line: 'GET / h' },
  { name: 'absolute form with query only', input: get('', 'http://h?y'), line: 'GET /?y h' },
  { name: 'absolute form in other case and port', input: get('', 'HTTP://H:80/x'), line: 'GET /x h' },
  {
    name: 'absolute OPTIONS without path',
    input: 'OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n',
    line: 'OPTIONS * h',
  },
  { name: 'absolute form with another Host', input: get('', 'http://other/x'), refused: 400 },
  { name: 'absolute form with user information', input: get('', 'http://u@h/x'), refused: 400 },
  { name: 'absolute form of another scheme', input: get('', 'ftp://h/x'), refused: 400 },
  { name: 'CONNECT', input: 'CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n', upgrade: 'connect' },
  { name: 'CONNECT to another host', input: 'CONNECT i:443 HTTP/1.1\r\nHost: h\r\n\r\n', refused: 400 },
  { name: 'CONNECT without port', input: 'CONNECT h HTTP/1.1\r\nHost: h\r\n\r\n', refused: 400 },
  { name: 'CONNECT with a path', input: 'CONNECT /h:1 HTTP/1.1\r\nHost: h\r\n\r\n', refused: 400 },
  {
    name: 'CONNECT with a body',
    input: 'CONNECT h:443 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc',
    refused: 400,
  },
];

const chunks: FramingCase[] = [
  { name: 'chunks', input: chunked('3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n'), body: 'abc0123456789' },
  { name: 'chunk size 0x', input: chunked('0x3\r\nabc\r\n0\r\n\r\n'), refused: 400 },
  { name: 'chunk size with LF only', input: chunked('3\nabc\r\n0\r\n\r\n'), refused: 400 },
  { name: 'chunk size with CR only', input: chunked('3\rabc\r\n0\r\n\r\n'), refused: 400 },
  { name: 'huge chunk size', input: chunked('ffffffffffffffff\r\nabc'), refused: 400 },
  { name: 'chunk size with trailing space', input: chunked('3 \r\nabc\r\n0\r\n\r\n'), refused: 400 },
  { name: 'chunk size with leading space', input: chunked(' 3\r\nabc\r\n0\r\n\r\n'), refused: 400 },
  { name: 'negative chunk size', input: chunked('-3\r\nabc\r\n0\r\n\r\n'), refused: 400 },
  { name: 'empty chunk size', input: chunked('\r\nabc\r\n0\r\n\r\n'), refused: 400 },
  { name: 'missing CR LF behind chunk data', input: chunked('3\r\nabc0\r\n\r\n'), refused: 400 },
  { name: 'LF only behind chunk data', input: chunked('3\r\nabc\n0\r\n\r\n'), refused: 400 },
  { name: 'chunk data longer than said', input: chunked('3\r\nabcd\r\n0\r\n\r\n'), refused: 400 },
  {
    name: 'chunk extensions are dropped',
    input: chunked('3;a=b;c="d e"\r\nabc\r\n0;x\r\n\r\n'),
    body: 'abc',
  },
  { name: 'chunk extension with bare LF', input: chunked('3;a\nb\r\nabc\r\n0\r\n\r\n'), refused: 400 },
  { name: 'chunk extension with NUL', input: chunked('3;a\0\r\nabc\r\n0\r\n\r\n'), refused: 400 },
  {
    name: 'endless chunk extension',
    input: chunked(`3;${'a'.repeat(20_000)}\r\nabc\r\n0\r\n\r\n`),
    refused: 400,
  },
  { name: 'trailers', input: chunked('0\r\nX-T: 1\r\n\r\n'), body: '', trailers: { 'x-t': '1' } },
  { name: 'Content-Length in trailers', input: chunked('0\r\nContent-Length: 3\r\n\r\n'), refused: 400 },
  {
    name: 'Transfer-Encoding in trailers',
    input: chunked('0\r\nTransfer-Encoding: chunked\r\n\r\n'),
    refused: 400,
  },
  { name: 'Host in trailers', input: chunked('0\r\nHost: i\r\n\r\n'), refused: 400 },
  {
    name: 'Authorization in trailers is dropped',
    input: chunked('0\r\nAuthorization: x\r\nX-T: 1\r\n\r\n'),
    trailers: { 'x-t': '1' },
  },
  { name: 'only dropped trailers', input: chunked('0\r\nCookie: x\r\n\r\n'), body: '', trailers: null },
  { name: 'obs-fold in trailers', input: chunked('0\r\nX-T: 1\r\n 2\r\n\r\n'), refused: 400 },
  { name: 'bare LF in trailers', input: chunked('0\r\nX-T: 1\n\r\n'), refused: 400 },
];

const hops: FramingCase[] = [
  {
    name: 'hop-by-hop fields and those that Connection names',
    input: get(
      'Connection: keep-alive, X-Hop, X-Gone\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n' +
        'Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic x\r\nX-Stays: 2\r\n',
    ),
    headers: { host: 'h', 'x-stays': '2' },
  },
  {
    name: 'Connection cannot take away who the client is or how the body is framed',
    input: post(
      'Connection: close, Host, Content-Length, Authorization, X-Forwarded-For, Forwarded, X-Heddle-A\r\n' +
        'Content-Length: 1\r\nAuthorization: x\r\nX-Forwarded-For: 1.2.3.4\r\nForwarded: for=1\r\nX-Heddle-A: 1\r\n',
      'b',
    ),
    headers: {
      host: 'h',
      'content-length': '1',
      authorization: 'x',
      'x-forwarded-for': '1.2.3.4',
      forwarded: 'for=1',
      'x-heddle-a': '1',
    },
    body: 'b',
  },
  { name: 'endless Connection', input: get(`Connection: ${'a,'.repeat(40)}b\r\n`), refused: 400 },
  { name: 'Proxy (httpoxy) is dropped', input: get('Proxy: http://evil\r\n'), headers: { host: 'h' } },
  {
    name: 'Upgrade: h2c is neither honoured nor forwarded',
    input: get('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n'),
    headers: { host: 'h' },
    upgrade: '',
  },
  {
    name: 'h2c in a list',
    input: get('Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n'),
    headers: { host: 'h' },
    upgrade: '',
  },
  {
    name: 'Upgrade that Connection names',
    input: get('Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: x\r\n'),
    headers: { host: 'h', 'sec-websocket-key': 'x' },
    upgrade: 'websocket',
  },
  { name: 'Upgrade that Connection does not name', input: get('Upgrade: websocket\r\n'), upgrade: '' },
  {
    name: 'Upgrade in HTTP/1.0',
    input: 'GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    upgrade: '',
  },
  {
    name: 'Upgrade with a body',
    input: post('Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n', 'x'),
    upgrade: '',
    body: 'x',
  },
  {
    name: 'Expect in HTTP/1.0',
    input: 'POST / HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx',
    headers: { host: 'h', 'content-length': '1' },
    body: 'x',
  },
];

const limits: FramingCase[] = [
  { name: 'target of 9000 bytes', input: get('', `/${'a'.repeat(9000)}`), refused: 414 },
  { name: 'headers of 40 KB', input: get(`X-A: ${'a'.repeat(40_000)}\r\n`), refused: 431 },
  { name: '101 headers', input: get('X-A: 1\r\n'.repeat(101)), refused: 431 },
];

export const framingCases: readonly FramingCase[] = [
  ...lengths,
  ...encodings,
  ...lines,
  ...requestLines,
  ...hosts,
  ...chunks,
  ...hops,
  ...limits,
];
