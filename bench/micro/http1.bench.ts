import { HeadView } from '../../src/core/base/head-view.ts';
import { encodeRequest, encodeResponse, Framing } from '../../src/transport/codecs/http1/encode.ts';
import { scanRequest, scanResponse } from '../../src/transport/codecs/http1/scan.ts';
import { createRelay } from '../../test/transport/codecs/http1/relay.ts';

/** Nanoseconds per head, the minimum of several rounds: `npx node bench/micro/http1.bench.ts`. */
const limits = {
  maxHeaderBytes: 32_768,
  maxHeaderCount: 100,
  maxUriBytes: 8192,
  maxBodyBytes: 0,
  idleTimeoutMs: 0,
  headerTimeoutMs: 0,
  requestTimeoutMs: 0,
  maxRequestsPerConnection: 0,
  maxPipelined: 16,
};

const request = Buffer.from(
  'GET /api/v1/users/42?fields=name HTTP/1.1\r\nHost: users.internal:8080\r\nUser-Agent: wrk/4.1.0\r\n' +
    'Accept: application/json\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n' +
    'X-Request-Id: 3f1c9a7e-5d2b-4a55-9f0e-0c8f6f0d1a2b\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n',
);
const response = Buffer.from(
  'HTTP/1.1 200 OK\r\nServer: backend/1.0\r\nDate: Sat, 21 Nov 2026 02:00:00 GMT\r\nContent-Type: application/json\r\n' +
    'Content-Length: 1024\r\nConnection: keep-alive\r\nCache-Control: no-store\r\nETag: "33a64df5"\r\n\r\n',
);

function measure(name: string, sizeBytes: number, run: () => void): void {
  const loops = 5000;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 400; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < loops; i++) run();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / loops);
  }
  process.stdout.write(
    `${name.padEnd(44)} ${best.toFixed(0).padStart(6)} ns  ${(best / sizeBytes).toFixed(2)} ns/byte\n`,
  );
}

const head = new HeadView();
measure(`scan request, 7 headers, ${request.length} bytes`, request.length, () => {
  head.reset();
  if (scanRequest(head, request, 0, request.length, limits, 1) < 0) throw new Error('refused');
});
measure(`scan response, 7 headers, ${response.length} bytes`, response.length, () => {
  head.reset();
  if (scanResponse(head, response, 0, response.length, limits) < 0) throw new Error('refused');
});

const target = Buffer.alloc(65_536);
const requestHead = new HeadView();
scanRequest(requestHead, request, 0, request.length, limits, 1);
requestHead.add('x-forwarded-proto', 'http');
measure('encode request, 1 field removed, 1 added', request.length, () => {
  encodeRequest(requestHead, target, 0, Framing.none, -1);
});
const responseHead = new HeadView();
scanResponse(responseHead, response, 0, response.length, limits);
measure('encode response, 1 field removed', response.length, () => {
  encodeResponse(responseHead, target, 0, Framing.length, 1024, '');
});

/** Server and client codec joined by a sink that does nothing else, on wires that drop what is written. */
const relay = createRelay();
relay.up.ownsReads = true;
const body = Buffer.alloc(1024, 97);
const answer = Buffer.concat([response, body]);
const sink = { write: () => true };
const pooled = relay.sink.acquire();
relay.sink.acquire = () => pooled;
Object.assign(relay.up, sink);
Object.assign(relay.down, sink);
measure('request and 1 KB response through both codecs', request.length + answer.length, () => {
  relay.server.onBytes(request, 0, request.length);
  relay.client.onBytes(answer, 0, answer.length);
});
