import test from 'ava';
import fc from 'fast-check';
import { HeadView } from '../../../../src/core/base/head-view.ts';
import { Chunked, ChunkReader } from '../../../../src/transport/codecs/http1/chunked.ts';
import { createServer } from './harness.ts';

const limits = { maxHeaderBytes: 1000, maxHeaderCount: 10 };

/** Feeds `bytes` in pieces; what came out, and where the body ended (-1: not). */
function read(bytes: Buffer, sizes: readonly number[]) {
  const reader = new ChunkReader();
  let body = '';
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const end = Math.min(bytes.length, at + (sizes[i % sizes.length] as number));
    const result = reader.feed(bytes, at, end, limits);
    body += reader.buf.toString('latin1', reader.start, reader.end);
    if (result < 0) return { body, result, endsAt: -1, trailers: null };
    if (result !== Chunked.more) return { body, result, endsAt: reader.at, trailers: reader.trailers };
    at = end;
  }
  return { body, result: Chunked.more, endsAt: -1, trailers: null };
}

const chunksOf = fc.array(fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 40 }), { maxLength: 6 });
const extension = fc.constantFrom('', ';a', ';name=value', ';q="a b"', ';\t');
const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 });

test('any chunking of any bytes in any pieces gives back the bytes and stops at the end', (t) => {
  fc.assert(
    fc.property(
      chunksOf,
      extension,
      sizes,
      fc.string({ unit: 'binary-ascii' }),
      (chunks, ext, pieces, rest) => {
        const text = chunks.map((chunk) => `${chunk.length.toString(16)}${ext}\r\n${chunk}\r\n`).join('');
        const framed = `${text}0${ext}\r\n\r\n`;
        const got = read(Buffer.from(framed + rest, 'latin1'), pieces);
        return got.body === chunks.join('') && got.result === Chunked.end && got.endsAt === framed.length;
      },
    ),
  );
  t.pass();
});

test('trailers in any pieces come out once, and the next message begins behind them', (t) => {
  const names = fc.array(fc.stringMatching(/^x-[a-z]{1,8}$/), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(names, fc.stringMatching(/^[ -~]{0,20}$/), sizes, (fields, value, pieces) => {
      const framed = `2\r\nab\r\n0\r\n${fields.map((name) => `${name}: ${value}\r\n`).join('')}\r\n`;
      const got = read(Buffer.from(`${framed}GET`, 'latin1'), pieces);
      const isRight =
        got.result === Chunked.endWithTrailers &&
        got.trailers?.getAll(fields[0] as string)[0] === value.trim();
      return isRight && got.body === 'ab' && got.endsAt === framed.length;
    }),
  );
  t.pass();
});

test('what the writer chunks, the reader reads', (t) => {
  fc.assert(
    fc.property(chunksOf, fc.boolean(), sizes, (chunks, hasTrailers, pieces) => {
      const { sink, wire } = createServer();
      wire.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n');
      const s = (sink.requests[0] as (typeof sink.requests)[0]).stream;
      s.res.status = 200;
      s.down?.sendHead(s, s.res, null, 0, 0, false);
      for (const chunk of chunks) s.down?.sendData(s, Buffer.from(chunk, 'latin1'), 0, chunk.length, false);
      const trailers = new HeadView();
      trailers.add('x-t', '1');
      if (hasTrailers) s.down?.sendTrailers(s, trailers);
      else s.down?.sendData(s, Buffer.alloc(0), 0, 0, true);
      const bytes = Buffer.from(wire.text.slice(wire.text.indexOf('\r\n\r\n') + 4), 'latin1');
      const got = read(bytes, pieces);
      const expected = hasTrailers ? Chunked.endWithTrailers : Chunked.end;
      return got.body === chunks.join('') && got.result === expected && got.endsAt === bytes.length;
    }),
  );
  t.pass();
});

test('random bytes never make the reader throw or run past its input', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), sizes, (bytes, pieces) => {
      const got = read(Buffer.from(bytes), pieces);
      return got.endsAt <= bytes.length;
    }),
  );
  t.pass();
});
