import { Code } from '../../../core/base/codes.ts';

/** Why bytes were refused, as negative numbers, so that a scanner returns either an offset or one of these. */
export const Refusal = {
  /** Not a refusal: the bytes end before the head does. */
  incomplete: -1,
  requestLine: -2,
  method: -3,
  methodTooLong: -4,
  target: -5,
  uriTooLong: -6,
  version: -7,
  httpVersion: -8,
  bareCr: -9,
  bareLf: -10,
  obsFold: -11,
  headerName: -12,
  spaceBeforeColon: -13,
  headerValue: -14,
  obsText: -15,
  underscore: -16,
  tooManyHeaders: -17,
  headersTooLarge: -18,
  hostMissing: -19,
  hostDuplicate: -20,
  hostInvalid: -21,
  hostMismatch: -22,
  lengthDuplicate: -23,
  lengthInvalid: -24,
  lengthAndEncoding: -25,
  encodingDuplicate: -26,
  encodingInvalid: -27,
  encodingUnknown: -28,
  encodingVersion: -29,
  connectionTokens: -30,
  connectBody: -31,
  chunkSize: -32,
  chunkExtension: -33,
  chunkEnd: -34,
  trailer: -35,
  payloadTooLarge: -36,
  statusLine: -37,
  headerTimeout: -38,
  requestTimeout: -39,
  truncated: -40,
} as const;
export type Refusal = (typeof Refusal)[keyof typeof Refusal];

export interface RefusalFacts {
  readonly status: number;
  readonly code: number;
  readonly detail: string;
}

const facts = (status: number, code: number, detail: string): RefusalFacts => ({ status, code, detail });
const bad = (detail: string): RefusalFacts => facts(400, Code.downstreamProtocol, detail);

/** Status of the local answer, Code for the owner, and one line that says what was wrong. */
const all: Readonly<Record<number, RefusalFacts>> = {
  [Refusal.requestLine]: bad('the request line is not "METHOD target HTTP/1.1"'),
  [Refusal.method]: bad('the method is no token or is not in upper case'),
  [Refusal.methodTooLong]: facts(501, Code.downstreamProtocol, 'the method is longer than 32 bytes'),
  [Refusal.target]: bad('the request target has bytes or a form that is not allowed'),
  [Refusal.uriTooLong]: facts(414, Code.uriTooLong, 'the request target is too long'),
  [Refusal.version]: bad('the version is not written as HTTP/x.y'),
  [Refusal.httpVersion]: facts(505, Code.downstreamProtocol, 'only HTTP/1.0 and HTTP/1.1 are spoken here'),
  [Refusal.bareCr]: bad('a CR stands without LF'),
  [Refusal.bareLf]: bad('a line ends in LF without CR'),
  [Refusal.obsFold]: bad('a line begins with white space'),
  [Refusal.headerName]: bad('a header name is no token'),
  [Refusal.spaceBeforeColon]: bad('white space stands before a colon'),
  [Refusal.headerValue]: bad('a header value has a control character'),
  [Refusal.obsText]: bad('a header value has a byte above 0x7F'),
  [Refusal.underscore]: bad('a header name has an underscore'),
  [Refusal.tooManyHeaders]: facts(431, Code.headersTooLarge, 'too many headers'),
  [Refusal.headersTooLarge]: facts(431, Code.headersTooLarge, 'the headers are too large'),
  [Refusal.hostMissing]: bad('no Host header'),
  [Refusal.hostDuplicate]: bad('more than one Host header'),
  [Refusal.hostInvalid]: bad('the host is not a name or address with an optional port'),
  [Refusal.hostMismatch]: bad('the Host header and the request target name different hosts'),
  [Refusal.lengthDuplicate]: bad('more than one Content-Length'),
  [Refusal.lengthInvalid]: bad('Content-Length is not a decimal number'),
  [Refusal.lengthAndEncoding]: bad('Content-Length and Transfer-Encoding together'),
  [Refusal.encodingDuplicate]: bad('more than one Transfer-Encoding'),
  [Refusal.encodingInvalid]: bad('Transfer-Encoding is not "chunked"'),
  [Refusal.encodingUnknown]: facts(
    501,
    Code.downstreamProtocol,
    'only the transfer coding "chunked" is known',
  ),
  [Refusal.encodingVersion]: bad('Transfer-Encoding in HTTP/1.0'),
  [Refusal.connectionTokens]: bad('Connection is not a short list of tokens'),
  [Refusal.connectBody]: bad('CONNECT with a body'),
  [Refusal.chunkSize]: bad('a chunk size is not a hexadecimal number followed by CR LF'),
  [Refusal.chunkExtension]: bad('chunk extensions are malformed or too long'),
  [Refusal.chunkEnd]: bad('a chunk does not end with CR LF'),
  [Refusal.trailer]: bad('a trailer field that frames or routes the message'),
  [Refusal.payloadTooLarge]: facts(413, Code.payloadTooLarge, 'the body is too large'),
  [Refusal.statusLine]: facts(502, Code.upstreamProtocol, 'the status line is not "HTTP/1.1 200 reason"'),
  [Refusal.headerTimeout]: facts(408, Code.headerTimeout, 'the headers did not arrive in time'),
  [Refusal.requestTimeout]: facts(408, Code.requestTimeout, 'the request did not arrive in time'),
  [Refusal.truncated]: bad('the client closed in the middle of the headers'),
};

export function refusalFacts(refusal: number): RefusalFacts {
  return all[refusal] ?? bad('malformed');
}
