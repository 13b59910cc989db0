import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { Duplex } from 'node:stream';
import { answer } from '../../transport/codecs/http1/harness.ts';
import { F, framesOf, h2Server } from '../../transport/codecs/http2/harness.ts';

/** What a server made of a connection. */
export interface Verdict {
  /** Error code of GOAWAY; -1: none, the connection goes on or ended in peace. */
  readonly goAway: number;
  /** Complete requests: "1 GET /a 3 x-sum" (stream, method, path, body bytes, trailer names). */
  readonly requests: readonly string[];
  /** Stream to the code of its RST_STREAM; NO_ERROR behind a complete answer is none. */
  readonly resets: ReadonlyMap<number, number>;
}

function verdictOf(output: Buffer, requests: readonly string[]): Verdict {
  let goAway = -1;
  const resets = new Map<number, number>();
  for (const each of framesOf(output)) {
    if (each.type === F.goAway && each.payload.length >= 8)
      goAway = Math.max(goAway, each.payload.readUInt32BE(4) || -1);
    if (each.type === F.rst && each.payload.readUInt32BE(0) !== 0 && !resets.has(each.id)) {
      resets.set(each.id, each.payload.readUInt32BE(0));
    }
  }
  return { goAway, requests: [...requests].sort(), resets };
}

/** Our server on the bytes, in pieces of `size`. */
export function ourVerdict(bytes: Buffer, size: number, ownsReads: boolean): Verdict {
  const { sink, wire, flush } = h2Server({ ownsReads });
  const requests: string[] = [];
  sink.onRequestEnd = (s, index) => {
    const { line, body, trailers } = sink.requests[index] as (typeof sink.requests)[number];
    const [method, path] = line.split(' ');
    requests.push(`${s.downId} ${method} ${path} ${body.length} ${Object.keys(trailers ?? {}).join()}`);
    answer(s, 200);
  };
  for (let at = 0; at < bytes.length; at += size) {
    wire.send(bytes.subarray(at, Math.min(bytes.length, at + size)));
  }
  flush();
  flush();
  return verdictOf(Buffer.concat(wire.writes), requests);
}

/** The other end of a connection in memory: gives `bytes`, keeps what is written. */
class BytesIn extends Duplex {
  readonly written: Buffer[] = [];
  readonly #bytes: Buffer;
  #isGiven = false;

  constructor(bytes: Buffer) {
    super({ allowHalfOpen: true });
    this.#bytes = bytes;
  }

  override _read(): void {
    if (this.#isGiven) return;
    this.#isGiven = true;
    this.push(this.#bytes);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.written.push(chunk);
    done();
  }
}

/** node:http2 as a server that answers every complete request with 200. */
export class NodeOracle {
  readonly #server: Http2Server;
  readonly #requests = new Map<object, string[]>();

  constructor() {
    this.#server = createServer({
      maxSessionInvalidFrames: 1e9,
      streamResetBurst: 1e9,
      streamResetRate: 1e9,
    } as object);
    this.#server.on('sessionError', () => {});
    this.#server.on('stream', (stream, headers) => this.#serve(stream, headers));
  }

  #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    let bodyBytes = 0;
    let trailers = '';
    const requests = this.#requests.get(stream.session?.socket ?? stream) ?? [];
    const { id } = stream;
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => {
      bodyBytes += chunk.length;
    });
    stream.on('trailers', (came) => {
      trailers = Object.keys(came).join();
    });
    stream.on('end', () => {
      if (stream.aborted || stream.destroyed) return;
      requests.push(`${id} ${headers[':method']} ${headers[':path']} ${bodyBytes} ${trailers}`);
      stream.respond({ ':status': 200 }, { endStream: true });
    });
  }

  async judge(bytes: Buffer): Promise<Verdict> {
    const link = new BytesIn(bytes);
    const requests: string[] = [];
    let session: { destroy(): void } | null = null;
    const onSession = (each: {
      destroy(): void;
      socket: object;
      on(name: string, run: () => void): void;
    }): void => {
      session = each;
      each.on('error', () => {});
      this.#requests.set(each.socket, requests);
    };
    this.#server.once('session', onSession as never);
    this.#server.emit('connection', link);
    // A turn to read and one to write are enough; the third is for the events of streams.
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
    const verdict = verdictOf(Buffer.concat(link.written), requests);
    (session as { destroy(): void } | null)?.destroy();
    link.destroy();
    this.#requests.clear();
    return verdict;
  }
}
