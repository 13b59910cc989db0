import { deepStrictEqual, ok } from 'node:assert/strict';
import { answer, createClient, createServer, fillRequest } from '../transport/codecs/http1/harness.ts';
import { createRelay } from '../transport/codecs/http1/relay.ts';
import type { FuzzRandom, FuzzTarget } from './kit/fuzz.ts';
import { requestInput, responseInput } from './kit/http1-inputs.ts';

const methods = ['GET', 'GET', 'POST', 'HEAD', 'OPTIONS', 'CONNECT', 'PURGE', 'get', 'G(T'];
const lenient = { underscoresInHeaders: 'allow', allowObsText: true } as const;

/** What a server made of the bytes: complete requests, and how it ended. */
function serve(input: Buffer, size: number, ownsReads: boolean, config = {}) {
  const { sink, wire } = createServer({ ownsReads, config });
  sink.onRequestEnd = (s) => answer(s, 200);
  wire.send(input, size);
  wire.finish();
  const requests = sink.requests
    .filter((each) => each.end)
    .map(({ line, headers, body, trailers }) => ({ line, headers, body, trailers }));
  const refused = / (?:400|413|414|431|501|505) /.test(wire.text);
  ok(refused || wire.isEnded || wire.destroyedWith >= 0 || sink.requests.length > 0, 'the connection hangs');
  return { requests, refused };
}

/** Split anywhere, the same requests come out. */
function checkSplits(input: Buffer, random: FuzzRandom): void {
  const whole = serve(input, Number.POSITIVE_INFINITY, true);
  const pieces = serve(input, 1 + random.below(input.length + 1), random.chance(0.5));
  deepStrictEqual(pieces.requests, whole.requests);
}

/** What leaves for the upstream is read there as what came in: same requests, nothing more. */
function checkForwarding(input: Buffer, random: FuzzRandom): void {
  const direct = serve(input, Number.POSITIVE_INFINITY, true, lenient);
  const relay = createRelay(lenient);
  let forwarded = '';
  relay.down.send(input, 1 + random.below(input.length + 1));
  for (let i = 0; i < 8 && relay.up.writes.length > 0; i++) {
    forwarded += relay.up.takeText();
    relay.up.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  }
  const received = serve(Buffer.from(forwarded, 'latin1'), Number.POSITIVE_INFINITY, true, lenient);
  const plain = (requests: typeof direct.requests) =>
    requests.map(({ line, body, trailers }) => ({
      line: line.replace(/^CONNECT \S*/, 'CONNECT'),
      body,
      trailers,
    }));
  const count = received.requests.length;
  ok(count <= direct.requests.length, `more requests went up than came: ${JSON.stringify(forwarded)}`);
  deepStrictEqual(plain(received.requests), plain(direct.requests).slice(0, count));
}

/** Whatever an upstream says, the stream ends once or waits, and a connection with rests is not used again. */
function checkAnswers(input: Buffer, random: FuzzRandom): void {
  const run = (size: number, ownsReads: boolean) => {
    const { sink, wire, codec, owner } = createClient({ ownsReads });
    const s = sink.acquire();
    codec.bind(s);
    s.up?.sendHead(s, fillRequest(s.req, 'GET', '/', 'h'), null, 0, 0, true);
    wire.send(input, size);
    const isOpen = codec.active === 1;
    ok(owner.rooms + owner.gones.length <= (isOpen ? 0 : 2), 'given back more than once');
    wire.finish();
    ok(codec.active === 0, 'the stream outlives its connection');
    // What is malformed later may have begun to flow when it came in pieces: whole answers only.
    return sink.responses
      .filter((each) => each.end && each.line !== 'reset')
      .map(({ line, headers, body, trailers }) => ({ line, headers, body, trailers }));
  };
  const whole = run(Number.POSITIVE_INFINITY, true);
  const pieces = run(1 + random.below(input.length + 1), false);
  deepStrictEqual(pieces, whole);
}

export const target: FuzzTarget = {
  name: 'http1',
  generate: (random) => (random.chance(0.7) ? requestInput(random, methods) : responseInput(random)),
  check(input, random) {
    if (input.length === 0) return;
    if (input.subarray(0, 5).toString('latin1') === 'HTTP/') {
      checkAnswers(input, random);
      return;
    }
    checkSplits(input, random);
    checkForwarding(input, random);
  },
};
