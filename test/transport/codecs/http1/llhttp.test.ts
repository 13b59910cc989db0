import { createServer as createHttpServer, type IncomingMessage, METHODS } from 'node:http';
import { Duplex } from 'node:stream';
import test from 'ava';
import { FuzzRandom } from '../../../fuzz/kit/fuzz.ts';
import { requestInput } from '../../../fuzz/kit/http1-inputs.ts';
import { framingCases } from './framing-cases.ts';
import { answer, createServer } from './harness.ts';

interface Seen {
  readonly line: string;
  readonly body: string;
}

/** A connection to node:http in memory: what is pushed is what the client sent. */
class MemorySocket extends Duplex {
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: unknown, done: () => void): void {
    done();
  }
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
}

/** What llhttp makes of the bytes: complete requests in order, and whether it refused something. */
async function askNode(input: Buffer<ArrayBuffer>): Promise<{ requests: Seen[]; isRefused: boolean }> {
  const requests: Seen[] = [];
  let isRefused = false;
  const server = createHttpServer({ requireHostHeader: true, keepAliveTimeout: 0 });
  server.on('request', (request: IncomingMessage, response) => {
    let body = '';
    request.setEncoding('latin1');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      requests.push({ line: `${request.method} ${request.url}`, body });
      response.end();
    });
    request.on('error', () => {});
  });
  server.on('checkContinue', (request, response) => server.emit('request', request, response));
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.on('connect', (request: IncomingMessage) => {
    requests.push({ line: `${request.method} ${request.url}`, body: '' });
  });
  const socket = new MemorySocket();
  // Node answers 400 itself for a missing Host: no 'clientError' then.
  socket._write = (chunk: Buffer, _encoding, done) => {
    if (/^HTTP\/1\.1 4/.test(chunk.toString('latin1'))) isRefused = true;
    done();
  };
  server.on('clientError', () => {
    isRefused = true;
  });
  server.emit('connection', socket);
  socket.push(input);
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  server.close();
  return { requests, isRefused };
}

function askHeddle(input: Buffer) {
  const { sink, wire, owner } = createServer({
    config: { underscoresInHeaders: 'allow', allowObsText: true },
  });
  sink.onRequestEnd = (s) => answer(s, 200);
  wire.send(input);
  const requests = sink.requests
    .filter((each) => each.end)
    .map((each) => ({ line: each.line.split(' ').slice(0, 2).join(' '), body: each.body }));
  return { requests, refusal: owner.errors[0]?.detail ?? '' };
}

/** Where we are stricter than llhttp, on purpose; each has its row in the table of framing cases. */
const stricter: readonly RegExp[] = [
  /more than one Host/,
  /name different hosts/,
  /the host is not a name/,
  /bytes or a form that is not allowed/,
  /only HTTP\/1.0 and HTTP\/1.1/,
  /Transfer-Encoding in HTTP\/1.0/,
  /only the transfer coding "chunked" is known/,
  /request line is not/,
  /CONNECT with a body/,
  /ends in LF without CR/,
  /the method is no token/,
  /the version is not written/,
  /Connection is not a short list/,
  /too many headers/,
  /a trailer field that frames/,
];

const methods = ['GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];

test('where llhttp refuses we refuse; where we refuse and it does not, the reason is a documented one', async (t) => {
  const inputs = framingCases
    .map((row) => Buffer.from(row.input, 'latin1'))
    .filter((each) => each.length < 5000);
  for (let seed = 1; seed <= 3000; seed++)
    inputs.push(Buffer.from(requestInput(new FuzzRandom(seed), methods, 1)));
  const surprises: string[] = [];
  const used = new Set<RegExp>();
  let both = 0;
  for (const input of inputs) {
    const theirs = await askNode(input);
    const ours = askHeddle(input);
    const shown = JSON.stringify(input.toString('latin1'));
    // llhttp has a list of methods; here any token is one.
    const isKnownMethod = METHODS.includes(ours.requests[0]?.line.split(' ')[0] ?? '');
    if (isKnownMethod && ours.requests.length > theirs.requests.length && theirs.isRefused) {
      surprises.push(`we accept ${shown}`);
    }
    if (ours.requests.length < theirs.requests.length) {
      const reason = stricter.find((each) => each.test(ours.refusal));
      if (reason === undefined) surprises.push(`we refuse (${ours.refusal}) ${shown}`);
      else used.add(reason);
    }
    const count = Math.min(ours.requests.length, theirs.requests.length);
    for (let i = 0; i < count; i++) {
      const a = ours.requests[i] as Seen;
      const b = theirs.requests[i] as Seen;
      both++;
      const isSameBody = a.body === b.body;
      const isSameLine = a.line === b.line || / http:/i.test(b.line) || a.line.startsWith('CONNECT');
      if (!isSameBody || !isSameLine)
        surprises.push(`we read ${JSON.stringify(a)}, llhttp ${JSON.stringify(b)} ${shown}`);
    }
  }
  t.deepEqual(surprises, []);
  t.deepEqual(
    stricter.filter((each) => !used.has(each)),
    [],
    'a reason that never applies is no reason',
  );
  t.true(both > 500, `${both} requests were accepted by both`);
});
