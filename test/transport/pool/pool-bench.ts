import type { ConnectionPermits } from '../../../src/core/contract/cluster.ts';
import type { ClientCodec, Codec, ServerCodec } from '../../../src/core/contract/codec.ts';
import type { Pool, PoolOptions } from '../../../src/core/contract/pool.ts';
import type { Stream } from '../../../src/core/contract/stream.ts';
import type { StreamEnd } from '../../../src/core/contract/stream-end.ts';
import {
  createFakeTime,
  type Exchange,
  FakeServerOwner,
  fakeCodecContext,
  fillRequest,
  fillResponse,
  MemoryLink,
  RecordingSink,
} from '../../../src/testing/index.ts';
import { createPool } from '../../../src/transport/index.ts';

const defaults: PoolOptions = {
  preconnect: 0,
  maxConnectionsPerHost: 0,
  maxRequestsPerConnection: 0,
  idleTimeoutMs: 60_000,
  connectTimeoutMs: 5000,
};

/** Counts permits; throws when one is given back that nobody took. */
class CountedPermits implements ConnectionPermits {
  connections = 0;
  pending = 0;
  maxConnections = Number.POSITIVE_INFINITY;
  maxPending = Number.POSITIVE_INFINITY;

  tryConnection(): boolean {
    if (this.connections >= this.maxConnections) return false;
    this.connections++;
    return true;
  }

  releaseConnection(): void {
    if (--this.connections < 0) throw new Error('a connection permit was given back twice');
  }

  tryPending(): boolean {
    if (this.pending >= this.maxPending) return false;
    this.pending++;
    return true;
  }

  releasePending(): void {
    if (--this.pending < 0) throw new Error('a pending permit was given back twice');
  }
}

/** A pool over memory links; the far ends are servers of the same codec that answer when told. */
export class PoolBench {
  readonly time = createFakeTime();
  readonly sink = new RecordingSink();
  readonly serverSink = new RecordingSink();
  readonly permits = new CountedPermits();
  readonly links: MemoryLink[] = [];
  readonly servers: ServerCodec[] = [];
  readonly context = fakeCodecContext(this.sink, this.time);
  readonly serverContext = fakeCodecContext(this.serverSink, this.time);
  readonly pool: Pool;
  /** What becomes of the next connections: they stay connecting unless this is true. */
  connectsAtOnce = true;

  constructor(
    codec: Codec,
    options: Partial<PoolOptions> = {},
    prepare: (bench: PoolBench) => void = () => {},
  ) {
    prepare(this);
    this.pool = createPool({
      codec,
      codecConfig: {},
      dial: () => {
        const link = new MemoryLink({ isConnecting: true });
        this.links.push(link);
        this.servers.push(codec.server(link.accepted, this.serverContext, new FakeServerOwner(), {}));
        if (this.connectsAtOnce) link.connect();
        return link.dialled;
      },
      context: this.context,
      options: { ...defaults, ...options },
      permits: this.permits,
      address: 'memory:1',
    });
  }

  settle(): void {
    for (let isBusy = true; isBusy; ) {
      isBusy = false;
      for (const link of this.links) isBusy = link.turn() || isBusy;
      isBusy = this.context.flush() || isBusy;
      isBusy = this.serverContext.flush() || isBusy;
    }
  }

  advance(byMs: number): void {
    this.time.clock.advance(byMs);
    this.settle();
  }

  /** A stream that asks for a connection and, when it gets one, sends a request. */
  ask(down: StreamEnd | null = null): Asked {
    const exchange = this.sink.begin();
    exchange.stream.down = down;
    const end = this.pool.open(exchange.stream);
    if (typeof end !== 'number') this.send(exchange.stream, end);
    return { exchange, end };
  }

  send(s: Stream, end: StreamEnd): void {
    fillRequest(s.req, { method: 'GET', path: '/', authority: 'bound' });
    end.sendHead(s, s.req, null, 0, 0, true);
    this.settle();
  }

  /** Answers the oldest request that no server has answered. */
  answerNext(): void {
    const served = this.serverSink.exchanges.find(
      (each) => each.request?.isComplete && each.stream.down !== null,
    );
    if (served === undefined) throw new Error('no request waits for an answer');
    const s = served.stream;
    fillResponse(s.res, { status: 200 });
    (s.down as StreamEnd).sendHead(s, s.res, null, 0, 0, true);
    this.serverSink.finish(served);
    this.settle();
  }

  connectionOf(asked: Asked): ClientCodec {
    return asked.end as ClientCodec;
  }
}

export interface Asked {
  readonly exchange: Exchange;
  readonly end: StreamEnd | number;
}
