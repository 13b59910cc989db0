import test from 'ava';
import { type FramingCase, framingCases } from './framing-cases.ts';
import { answer, createServer } from './harness.ts';

const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);

/** What became of the input, in the words of the table. */
function run(
  input: string,
  pieceBytes: number,
  ownsReads: boolean,
): Required<Omit<FramingCase, 'name' | 'input'>> {
  const { sink, wire } = createServer({ ownsReads });
  let upgrade = '';
  sink.onRequestHead = (s) => {
    upgrade = s.req.upgrade;
  };
  sink.onRequestEnd = (s) => answer(s, 200);
  wire.send(input, pieceBytes);
  wire.finish();
  const request = sink.requests[0];
  const status = statusOf(wire.text);
  return {
    refused: status === 200 ? 0 : status || -1,
    line: request?.line ?? '',
    headers: request?.headers ?? {},
    body: request?.body ?? '',
    trailers: request?.trailers ?? null,
    upgrade,
    afterHead: request !== undefined,
  };
}

test('every framing case is refused or normalised as its row says, in one piece', (t) => {
  for (const row of framingCases) {
    const got = run(row.input, Number.POSITIVE_INFINITY, true);
    t.is(got.refused, row.refused ?? 0, row.name);
    if (row.line !== undefined) t.is(got.line, row.line, row.name);
    if (row.headers !== undefined) t.deepEqual(got.headers, row.headers, row.name);
    if (row.body !== undefined) t.is(got.body, row.body, row.name);
    if (row.trailers !== undefined) t.deepEqual(got.trailers, row.trailers, row.name);
    if (row.upgrade !== undefined) t.is(got.upgrade, row.upgrade, row.name);
  }
});

test('every framing case ends the same when it arrives byte by byte in a buffer that is overwritten', (t) => {
  for (const row of framingCases) {
    const whole = run(row.input, Number.POSITIVE_INFINITY, true);
    const pieces = run(row.input, 1, false);
    t.is(pieces.refused, whole.refused, row.name);
    if (whole.refused === 0) t.deepEqual(pieces, whole, row.name);
  }
});

test('a refused request closes the connection after an answer that says why', (t) => {
  const { wire, owner } = createServer();
  wire.send('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n');
  t.is(wire.writes.length, 1);
  t.regex(wire.text, /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*connection: close\r\n/);
  t.regex(wire.text, /x-heddle-error: downstream_protocol\r\n/);
  t.true(wire.text.endsWith('downstream_protocol: more than one Host header\n'));
  t.true(wire.isEnded);
  t.deepEqual(owner.errors, [{ code: 2, detail: 'more than one Host header' }]);
});
