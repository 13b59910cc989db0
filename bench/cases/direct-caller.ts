/** The pool and client codec of a mesh, called with nothing between: what an in-process call costs at the least. */
import type { Runtime } from '../../src/assembly/runtime.ts';
import type { Codec } from '../../src/core/contract/codec.ts';
import type { Pool } from '../../src/core/contract/pool.ts';
import { Stream, type StreamCore } from '../../src/core/contract/stream.ts';
import type { StreamEnd } from '../../src/core/contract/stream-end.ts';
import type { Dialer } from '../../src/core/contract/wire.ts';
import { http1 } from '../../src/transport/codecs/http1/index.ts';
import { createPool } from '../../src/transport/index.ts';

/** Sends heads and counts whole answers; keeps nothing of them. */
export class DirectCaller implements StreamCore {
  readonly #pool: Pool;
  readonly #streams: Stream[] = [];
  #answered = 0;

  /** @param codecConfig effective, every default filled in */
  constructor(runtime: Runtime, dial: Dialer, address: string, codecConfig: unknown) {
    this.#pool = createPool({
      codec: http1 as Codec<never>,
      codecConfig,
      dial,
      context: { ...runtime.codec, sink: this },
      options: {
        preconnect: 0,
        maxConnectionsPerHost: 0,
        maxRequestsPerConnection: 0,
        idleTimeoutMs: 60_000,
        connectTimeoutMs: 5_000,
      },
      permits: {
        tryConnection: () => true,
        releaseConnection: () => {},
        tryPending: () => true,
        releasePending: () => {},
      },
      address,
    });
  }

  start(path: string, authority: string, headers: Readonly<Record<string, string>>): void {
    const s = this.acquire();
    const head = s.req;
    head.methodText = 'GET';
    head.path = path;
    head.authority = authority;
    for (const name in headers) head.add(name, headers[name] as string);
    const end = this.#pool.open(s);
    if (typeof end === 'number') throw new Error(`the pool gave ${end}`);
    end.sendHead(s, head, null, 0, 0, true);
  }

  takeAnswered(): number {
    const answered = this.#answered;
    this.#answered = 0;
    return answered;
  }

  acquire(): Stream {
    return this.#streams.pop() ?? new Stream(this);
  }

  release(s: Stream): void {
    s.recycle();
    this.#streams.push(s);
  }

  responseHead(s: Stream, _buf: Buffer | null, a: number, b: number, end: boolean): void {
    if (!end) return;
    if (s.res.status === 200 && b - a === 1024) this.#answered++;
    this.release(s);
  }

  requestHead(): void {}
  requestData(): void {}
  requestTrailers(): void {}
  responseInformational(): void {}
  responseData(): void {}
  responseTrailers(): void {}
  upstreamReset(): void {}
  downstreamReset(): void {}
  writable(): void {}
  upstreamReady(_s: Stream, _end: StreamEnd): void {}
  resume(): void {}
  reply(): void {}
  onStreamDeadline(): void {}
}
