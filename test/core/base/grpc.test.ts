import test from 'ava';
import fc from 'fast-check';
import { Code, codeFacts } from '../../../src/core/base/codes.ts';
import { decodeGrpcMessage, encodeGrpcMessage } from '../../../src/core/base/grpc-message.ts';
import {
  grpcStatusName,
  grpcStatusNames,
  grpcStatusOfCode,
  grpcStatusOfHttp,
  httpStatusOfGrpc,
  readGrpcStatus,
} from '../../../src/core/base/grpc-status.ts';
import { formatGrpcTimeout, parseGrpcTimeout } from '../../../src/core/base/grpc-timeout.ts';

test('messages are percent-encoded as the specification says', (t) => {
  t.is(encodeGrpcMessage('plain text, "quoted"'), 'plain text, "quoted"');
  t.is(encodeGrpcMessage('100%\nü'), '100%25%0A%C3%BC');
  t.is(decodeGrpcMessage('100%25%0A%C3%BC'), '100%\nü');
  t.is(decodeGrpcMessage('50% off %zz %'), '50% off %zz %', 'what is no escape stays');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const encoded = encodeGrpcMessage(text);
      t.regex(encoded, /^[\x20-\x7e]*$/);
      t.is(decodeGrpcMessage(encoded), text);
    }),
  );
});

test('timeouts are read in every unit, and what is none is refused', (t) => {
  const read: readonly (readonly [string, number])[] = [
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3000],
    ['4m', 4],
    ['1500u', 2],
    ['1n', 1],
    ['0S', 1],
    ['99999999S', 99_999_999_000],
    ['123456789m', -1],
    ['1s', -1],
    ['-1S', -1],
    ['1.5S', -1],
    ['S', -1],
    ['', -1],
    ['1S ', -1],
  ];
  for (const [text, ms] of read) t.is(parseGrpcTimeout(text), ms, text);
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 1e12, noNaN: true }), (ms) => {
      const text = formatGrpcTimeout(ms);
      t.regex(text, /^\d{1,8}[mSM]$/);
      const back = parseGrpcTimeout(text);
      t.true(back >= ms && back <= Math.max(ms + 1, ms * 1.001), `${ms} -> ${text} -> ${back}`);
    }),
  );
});

test('statuses have names, and both mappings to HTTP know every number', (t) => {
  t.is(grpcStatusNames.length, 17);
  t.is(grpcStatusName(4), 'DEADLINE_EXCEEDED');
  t.is(grpcStatusName(99), 'UNKNOWN');
  t.is(readGrpcStatus('16'), 16);
  for (const text of ['17', '-1', 'x', '', '1.0', '007']) t.is(readGrpcStatus(text), 2, text);
  for (let i = 0; i < 17; i++) t.true(httpStatusOfGrpc(i) >= 200);
  t.is(httpStatusOfGrpc(0), 200);
  t.deepEqual(
    [400, 401, 403, 404, 429, 502, 503, 504, 500, 418].map(grpcStatusOfHttp),
    [13, 16, 7, 12, 14, 14, 14, 14, 2, 2],
  );
});

test('every reason that ends a stream early has a status', (t) => {
  t.is(grpcStatusOfCode(Code.routeTimeout), 4);
  t.is(grpcStatusOfCode(Code.noHost), 14);
  t.is(grpcStatusOfCode(Code.noRoute), 12);
  t.is(grpcStatusOfCode(Code.payloadTooLarge), 8);
  t.is(grpcStatusOfCode(Code.aborted), 1);
  // What says 504 is late, what says 503 may be asked again: the status agrees with HTTP's.
  codeFacts.forEach((facts, code) => {
    const status = grpcStatusOfCode(code);
    t.true(status > 0 && status <= 16, facts.name);
    if (facts.error === 'ERR_REQUEST_TIMEOUT' && facts.status !== 0) t.is(status, 4, facts.name);
    if (facts.unprocessed && facts.name !== 'buffer_overflow') t.is(status, 14, facts.name);
  });
});
